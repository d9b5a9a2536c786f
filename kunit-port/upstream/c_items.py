# SPDX-License-Identifier: GPL-2.0-only
"""The top-level items of a C file - functions, types, variables, macros - found by matching braces in
the text as it is, without preprocessing. What is around an item, #if and #else, goes with it."""
import re

DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w+)(.*)", re.S)
NOT_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
TYPE = re.compile(r"(?:typedef\s+)?(struct|union|enum)\s+(\w+)\s*\{")
FUNCTION_NAME = re.compile(r"(\w+)\s*\(")
VARIABLE = re.compile(r"(\w+)\s*(?:__\w+\s*)*(?:\[[^\]]*\]\s*)*(?:=|;)")
# Words before a function's or a variable's name that look like a call.
ATTRIBUTES = {"__attribute__", "__printf", "__acquires", "__releases", "__typeof__", "typeof"}
# Macros that declare nothing, and are followed by a semicolon.
DECLARES_NOTHING = re.compile(r"(EXPORT_\w+|module_param\w*|MODULE_\w+|__MODULE_\w+|static_assert)\b")


class Item:
    """One item: its name, kind, text and line, and the directives that were open around it."""

    def __init__(self, name, kind, text, line, around):
        self.name = name
        self.kind = kind
        self.text = text
        self.line = line
        self.around = around


def without_comments(text):
    """The same text, with blanks for comments and literals; lines and offsets stay."""
    return NOT_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def _directive_end(code, at):
    """Where the directive that begins at `at` ends: after its last continuation line."""
    while True:
        end = code.find("\n", at)
        if end < 0:
            return len(code)
        if code[end - 1] != "\\":
            return end + 1
        at = end + 1


def _name(code):
    """Kind and name of an item, from its code without comments; (None, None) if it has none."""
    if DECLARES_NOTHING.match(code):
        return None, None
    named_type = TYPE.match(code)
    if named_type:
        return "type", named_type[2]
    body = code.find("{")
    head = code if body < 0 else code[:body]
    assigned = head.find("=")
    if assigned < 0:
        for call in FUNCTION_NAME.finditer(head):
            if call[1] not in ATTRIBUTES:
                return ("function" if body >= 0 else "prototype"), call[1]
    variable = VARIABLE.search(code)
    if variable:
        return "variable", variable[1]
    return None, None


class _Reader:
    def __init__(self, text):
        self.text = text
        self.code = without_comments(text)
        self.around = []
        self.items = []

    def line_of(self, at):
        return self.text.count("\n", 0, at) + 1

    def add(self, start, end):
        kind, name = _name(self.code[start:end])
        if name:
            self.items.append(Item(name, kind, self.text[start:end], self.line_of(start),
                                   [list(branch) for branch in self.around]))

    def directive(self, at):
        end = _directive_end(self.code, at)
        raw = self.text[at:end]
        word, rest = DIRECTIVE.match(self.code[at:end]).groups()
        if word in ("if", "ifdef", "ifndef"):
            self.around.append([raw])
        elif word in ("elif", "else"):
            self.around[-1].append(raw)
        elif word == "endif":
            self.around.pop()
        elif word == "define":
            name = re.match(r"\s*(\w+)", rest)[1]
            self.items.append(Item(name, "macro", raw, self.line_of(at),
                                   [list(branch) for branch in self.around]))
        return end

    def body_end(self, at):
        """Where the item that begins at `at` ends: at a semicolon, or where a function's body does."""
        depth, i, n = 0, at, len(self.code)
        is_function = None
        while i < n:
            c = self.code[i]
            if c == "#" and self.code[self.code.rfind("\n", 0, i) + 1:i].strip() == "":
                i = _directive_end(self.code, i)
                continue
            if c in "({[":
                if c == "{" and depth == 0:
                    head = self.code[at:i].rstrip()
                    is_function = head.endswith(")") or re.search(r"\)\s*__\w+$", head)
                depth += 1
            elif c in ")}]":
                depth -= 1
                if c == "}" and depth == 0 and is_function:
                    return i + 1
            elif c == ";" and depth == 0:
                return i + 1
            i += 1
        return n

    def read(self):
        i, n = 0, len(self.code)
        while i < n:
            c = self.code[i]
            if c.isspace() or c == ";":
                i += 1
            elif c == "#":
                i = self.directive(i)
            else:
                end = self.body_end(i)
                self.add(i, end)
                i = end
        return self.items


def items(text):
    """All items of a C file, in its order. A name may have several, under different conditions."""
    return _Reader(text).read()
