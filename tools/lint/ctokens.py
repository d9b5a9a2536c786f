# SPDX-License-Identifier: GPL-2.0-only
"""C source as a list of tokens without layout, and its comments as a list of sentences.

Constants carry over from the kernel by design, so enum bodies and object-like #defines are left
out of the tokens; a barrier, equal to no token of any file, stands in their place.
"""
import re

BARRIER = None
MIN_WORDS = 6

LEXEME = re.compile(r"""
    (?P<comment>/\*.*?\*/ | //(?:\\\n|[^\n])*)
  | (?P<splice>\\\n)
  | (?P<newline>\n)
  | (?P<space>[^\S\n]+)
  | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark>\.\.\. | <<= | >>= | -> | \+\+ | -- | && | \|\| | \#\#
      | (?:<<|>>|[-+*/%&|^=!<>])= | << | >> | .)
""", re.X | re.S)

OBJECT_DEFINE = re.compile(r"\s*define\s+\w+(?!\w|\()")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|:\s*\n|\n\s*(?=@\w+:)|\n\s*(?=[-*]\s)")


def number(text):
    """The value of an integer literal, whatever its base and suffix; other numbers as they are."""
    digits = text.rstrip("uUlL")
    try:
        if re.fullmatch(r"0[0-7]+", digits):
            return str(int(digits, 8))
        return str(int(digits, 0))
    except ValueError:
        return text


def lexemes(source):
    """Yields (kind, text, line)."""
    line = 1
    for match in LEXEME.finditer(source):
        yield match.lastgroup, match[0], line
        line += match[0].count("\n")


def directive_end(items, i):
    """Index of the newline that ends the preprocessor line beginning at i."""
    while i < len(items) and items[i][0] != "newline":
        i += 1
    return i


def tokens(source):
    """[(token, line)], token being BARRIER where something was left out."""
    items = list(lexemes(source))
    found = []
    fresh_line = True
    i = 0
    while i < len(items):
        kind, text, line = items[i]
        if text == "#" and fresh_line:
            end = directive_end(items, i)
            rest = "".join(t for k, t, _ in items[i + 1:end] if k not in ("comment", "splice"))
            if rest.split()[:1] == ["include"] or OBJECT_DEFINE.match(rest):
                found.append((BARRIER, line))
                i = end
                continue
        if kind == "newline":
            fresh_line = True
        elif kind not in ("comment", "splice", "space"):
            fresh_line = False
            found.append((number(text) if kind == "number" else text, line))
        i += 1
    return without_enums(found)


def without_enums(found):
    kept = []
    i = 0
    while i < len(found):
        kept.append(found[i])
        if found[i][0] == "enum":
            body = next((j for j in (i + 1, i + 2) if j < len(found) and found[j][0] == "{"), None)
            if body is not None:
                kept.append((BARRIER, found[i][1]))
                i = body
                while i < len(found) and found[i][0] != "}":
                    i += 1
                continue
        i += 1
    return kept


def comment_text(text):
    if text.startswith("//"):
        return text[2:].strip()
    lines = text[2:-2].strip("*").split("\n")
    return "\n".join(re.sub(r"^\s*\*+ ?", "", part).strip() for part in lines)


def sentences(source):
    """[(folded sentence, line)] of all comments; only those of MIN_WORDS words or more,
    compared without case, layout and punctuation."""
    blocks = []
    joinable = False
    for kind, text, line in lexemes(source):
        if kind == "comment":
            if joinable and text.startswith("//"):
                blocks[-1][0] += "\n" + comment_text(text)
            else:
                blocks.append([comment_text(text), line])
            joinable = text.startswith("//")
        elif kind not in ("space", "newline"):
            joinable = False
    found = []
    for text, line in blocks:
        start = 0
        for end in [m for m in SENTENCE_END.finditer(text)] + [None]:
            piece = text[start:end.start() if end else len(text)]
            if len(piece.split()) >= MIN_WORDS:
                words = re.findall(r"[\w']+", piece.lower())
                lead = len(piece) - len(piece.lstrip())
                found.append((" ".join(words), line + text[:start + lead].count("\n")))
            start = end.end() if end else len(text)
    return found
