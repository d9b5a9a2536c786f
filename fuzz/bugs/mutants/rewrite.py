# SPDX-License-Identifier: GPL-2.0-only
"""Makes copies of libtdp's mirrored files that hold all of their mutants at once.

    rewrite.py CLANG LIBTDP OUT FILE...

Every place of FILE (in LIBTDP) where something can be changed mechanically becomes a macro of
mutate.h, which does what the source says unless a change of that very place is chosen when the
program runs. OUT gets the copies, line by line as the originals; sites.json, which says of each place
where it is, what it says and what its changes are; and sites.inc, the number of changes of each for C.

Clang's syntax tree says where an expression begins and ends. What comes out of the body of another
file's macro is left alone, but not its arguments. Assertions are left alone, too: one that is too weak
is no wrong MMU.
"""
import json
import os
import re
import subprocess
import sys

# What only asserts, in whatever place: nothing inside is changed, and no call of it left out.
ASSERTIONS = re.compile(r"\b(?:WARN_ON|WARN_ON_ONCE|KVM_BUG_ON|KVM_MMU_WARN_ON|lockdep_assert\w*|"
                        r"kvm_lockdep_assert\w*|check_\w+|_Static_assert)\s*\(")
ASSERTING_FUNCTION = re.compile(r"^(?:kvm_lockdep_assert|check_)")
# These say what the compiler should expect; blanked, an argument of theirs is where it is written.
HINTS = re.compile(r"\b(?:un)?likely(?=\()")

LOOP = re.compile(r"\w*for_each\w*\(")

# Operator -> macro and what each change makes of the operator or of the whole.
ORDER = {"<": ("LT", ["<=", "!=", "never"]), "<=": ("LE", ["<", "==", "always"]),
         ">": ("GT", [">=", "!=", "never"]), ">=": ("GE", [">", "==", "always"])}
EQUALITY = {"==": ("EQ", ["always", "never"]), "!=": ("NE", ["always", "never"])}
# Below && and || "always" and "never" are what the changes of those do.
PART_EQUALITY = {"==": ("PART_EQ", ["!="]), "!=": ("PART_NE", ["=="])}
LOGIC = {"&&": ("LAND", ["left only", "right only", "never"]),
         "||": ("LOR", ["left only", "right only", "always"])}
PART_LOGIC = {"&&": ("PART_LAND", ["left only", "right only"]),
              "||": ("PART_LOR", ["left only", "right only"])}
MASK = {"&": ("AND", ["left only", "right only", "0"]), "|": ("OR", ["left only", "right only"]),
        "^": ("XOR", ["left only", "right only"])}
SHIFT = {"<<": ("SHL", ["by one more", "by one less"]),
         ">>": ("SHR", ["by one more", "by one less"])}
ARITHMETIC = {"+": ("ADD", ["-", "left only"]), "-": ("SUB", ["+", "left only"]),
              "*": ("MUL", ["+", "left only"]), "/": ("DIV", ["*", "left only"]),
              "%": ("MOD", ["0", "left only"])}
UPDATE = {"|=": ("SET_OR", ["left out", "="]), "&=": ("SET_AND", ["left out", "="]),
          "+=": ("SET_ADD", ["left out", "-="]), "-=": ("SET_SUB", ["left out", "+="]),
          "<<=": ("SET_SHL", ["left out"]), ">>=": ("SET_SHR", ["left out"])}
STEP = {"++": ("INC", ["left out", "--"]), "--": ("DEC", ["left out", "++"])}
KINDS = [(ORDER, "comparison"), (EQUALITY, "comparison"), (MASK, "mask"), (SHIFT, "shift"),
         (ARITHMETIC, "arithmetic")]

TRANSPARENT = {"ImplicitCastExpr", "ParenExpr", "ConstantExpr", "FullExpr"}
NUMBER = re.compile(r"^(?:const )?(?:_?[bB]ool|"
                    r"(?:unsigned |signed )?(?:char|short|int|long|long long)|unsigned|u?int\d+_t|[us]\d+|gfn_t|gpa_t|hpa_t|kvm_pfn_t)$")


def type_of(node):
    return node.get("type", {}).get("qualType", "")


def is_bool(node):
    return type_of(node).replace("const ", "") in ("bool", "_Bool")


def is_number(node):
    return bool(NUMBER.match(type_of(node)))


class Rewriter:
    """One file: finds its sites, then writes its copy."""

    def __init__(self, text, first_site):
        self.text = text
        self.first_site = first_site
        self.sites = []
        self.found, self.macros = set(), set()
        self.prefixes, self.suffixes, self.replaced = {}, {}, []
        self.function = None
        self.in_expression = 0
        self.skipped = []
        self.spared = [self.call_span(m) for m in ASSERTIONS.finditer(text)]

    # ---- where things are ----

    def close(self, at):
        """The end of the parentheses that open at `at`."""
        depth = 0
        for i in range(at, len(self.text)):
            depth += {"(": 1, ")": -1}.get(self.text[i], 0)
            if not depth:
                return i + 1
        raise SystemExit("rewrite.py: unbalanced parentheses")

    def call_span(self, match):
        return match.start(), self.close(match.end() - 1)

    def position(self, where, end):
        """The offset in the file of where a token begins or ends; None if it is not in there."""
        if "expansionLoc" in where:
            spelled, expanded = where["spellingLoc"], where["expansionLoc"]
            # An argument, or the body of a macro of this file.
            if spelled["main"]:
                where = spelled
            elif expanded["main"] and not expanded.get("isMacroArgExpansion"):
                # A macro's body: the whole of the call.
                if not end:
                    return expanded["offset"]
                stop = expanded["offset"] + expanded["tokLen"]
                call = re.compile(r"[ \t]*\(").match(self.text, stop)
                return self.close(call.end() - 1) if call else stop
            else:
                return None
        if not where.get("main") or "offset" not in where:
            return None
        return where["offset"] + (where["tokLen"] if end else 0)

    def expanded(self, where):
        """The macro call whose body a token comes from: (begin, end) or None."""
        if "expansionLoc" not in where or where["spellingLoc"]["main"] \
                or where["expansionLoc"].get("isMacroArgExpansion"):
            return None
        return self.position(where, False), self.position(where, True)

    def span(self, node):
        begin = self.position(node["range"]["begin"], False)
        end = self.position(node["range"]["end"], True)
        return (begin, end) if begin is not None and end is not None and begin < end else None

    def of_body(self, node):
        """Is any end of it in the body of a macro that the other end is in, too?"""
        begin, end = (self.expanded(node["range"][k]) for k in ("begin", "end"))
        span = self.span(node)
        return bool(span) and any(call and call[0] <= span[0] and span[1] <= call[1]
                                  for call in (begin, end))

    # ---- sites ----

    def site(self, node, kind, macro, changes, operator=None, whole=False):
        """`node` becomes MUTATE_macro(site, left, right); without an `operator` (site, whole)."""
        span = self.span(node)
        if not span or (self.of_body(node) and macro != "NEGATED" and not whole):
            return
        if span in self.found or any(b <= span[0] and span[1] <= e for b, e in self.spared):
            return
        begin, end = span
        if operator:
            at = self.operator_at(node, span, operator)
            if at is None:
                self.skipped.append(f"{self.function}: {self.text[begin:end]}")
                return
            self.replaced.append((at, at + len(operator), "," if len(node["inner"]) == 2 else ""))
        number = self.first_site + len(self.sites)
        self.found.add(span)
        self.sites.append({"function": self.function, "line": self.text.count("\n", 0, begin) + 1,
                           "kind": kind, "text": " ".join(self.text[begin:end].split()),
                           "changes": changes})
        self.prefixes.setdefault(begin, []).append(f"MUTATE_{macro}({number}, ")
        self.suffixes.setdefault(end, []).append(")")

    def operator_at(self, node, span, operator):
        """Where it is written; None if that cannot be told."""
        if len(node["inner"]) == 1:
            return self.text.index(operator, span[0])
        left, right = self.span(node["inner"][0]), self.span(node["inner"][1])
        if not left or not right or left[0] != span[0] or right[1] != span[1]:
            return None
        between = re.sub(r"/\*.*?\*/", lambda m: " " * len(m[0]), self.text[left[1]:right[0]],
                         flags=re.S)
        return left[1] + between.index(operator) if between.strip() == operator else None

    def macro_call(self, node, context, parent):
        """The call of a macro of another file, where it stands for the call of a function."""
        span = self.span(node)
        if not span or not self.of_body(node) or self.text[span[1] - 1] != ")" \
                or LOOP.match(self.text, span[0]) or span in self.macros:
            return
        self.macros.add(span)
        # Of what the macro consists of only the whole counts.
        if context == "statement" and self.text[span[1]] == ";" and not self.in_expression:
            self.site(node, "call", "STATEMENT", ["left out"], whole=True)
        elif context == "truth" and parent not in LOGIC:
            self.site(node, "call", "CALL", ["always", "never", "left out, false"], whole=True)

    def children(self, node, context="value", parent=None):
        for child in node.get("inner", []):
            self.visit(child, context, parent)

    def visit(self, node, context="value", parent=None):
        """`context`: what becomes of it: "truth", "value" or "statement" (nothing)."""
        kind = node.get("kind")
        if not kind or kind == "UnaryExprOrTypeTraitExpr":
            return
        self.macro_call(node, context, parent)
        if kind in TRANSPARENT:
            if node.get("castKind", "").endswith("ToBoolean"):
                context = "truth" if context == "value" else context
            self.children(node, context, parent)
        elif kind == "BinaryOperator":
            self.binary(node, context, parent)
        elif kind == "CompoundAssignOperator":
            if context == "statement" and node["opcode"] in UPDATE:
                macro, changes = UPDATE[node["opcode"]]
                self.site(node, "update", macro, changes, node["opcode"])
            self.children(node)
        elif kind == "UnaryOperator":
            self.unary(node, context)
        elif kind == "CallExpr":
            self.call(node, context, parent)
        elif kind == "ConditionalOperator":
            self.visit(node["inner"][0], "truth")
            for child in node["inner"][1:]:
                self.visit(child, "truth" if context == "truth" else "value")
        elif kind == "StmtExpr":
            self.in_expression += 1
            self.children(node["inner"][0], "statement")
            self.in_expression -= 1
        elif kind in ("DeclRefExpr", "MemberExpr", "ArraySubscriptExpr"):
            argument = "expansionLoc" in node["range"]["begin"]
            if context == "truth" and not parent and not argument:
                self.site(node, "condition", "CONDITION", ["always", "never"])
            self.children(node)
        elif kind in ("IntegerLiteral", "CXXBoolLiteralExpr"):
            span = self.span(node)
            if span and self.text[slice(*span)] in ("true", "false"):
                self.site(node, "constant", "NEGATED",
                          ["false" if self.text[slice(*span)] == "true" else "true"])
        else:
            self.statement(node, kind)

    def binary(self, node, context, parent):
        operator = node["opcode"]
        part = parent in LOGIC
        if operator in LOGIC:
            macro, changes = (PART_LOGIC if parent == operator else LOGIC)[operator]
            self.site(node, "logic", macro, changes, operator)
            self.children(node, "truth", operator)
            return
        if operator == "=":
            if context == "statement":
                self.site(node, "store", "STATEMENT", ["left out"])
            self.children(node)
            return
        if operator == ",":
            self.children(node, "statement" if context == "statement" else "value")
            return
        for table, kind in KINDS:
            if operator in table:
                table = PART_EQUALITY if table is EQUALITY and part else table
                self.site(node, kind, *table[operator], operator)
        self.children(node)

    def unary(self, node, context):
        operator = node["opcode"]
        if operator == "!":
            self.children(node, "truth")
            return
        if operator in STEP and context == "statement":
            self.site(node, "step", *STEP[operator], operator)
        if operator == "-":
            self.site(node, "sign", "MINUS", ["no sign"], operator)
        self.children(node)

    def call(self, node, context, parent):
        callee = node["inner"][0]
        while callee.get("kind") in TRANSPARENT and callee.get("inner"):
            callee = callee["inner"][0]
        signature = callee.get("referencedDecl", {}).get("type", {}).get("qualType", "")
        written = signature[signature.find("(") + 1:] if "(" in signature else "*"
        # What it is given to change, if anything.
        effects = any("*" in p and not p.strip().startswith("const")
                      for p in written.rstrip(")").split(","))
        if context == "statement":
            self.site(node, "call", "STATEMENT", ["left out"])
        elif context == "truth" or is_bool(node):
            skip = ["left out, false"] if effects else []
            if parent in LOGIC:
                if skip:
                    self.site(node, "call", "PART_CALL", skip)
            else:
                self.site(node, "call", "CALL" if skip else "CONDITION",
                          ["always", "never"] + skip)
        elif is_number(node):
            self.site(node, "call", "VALUE", ["negated"])
        self.children(node)

    def statement(self, node, kind):
        inner = node.get("inner", [])
        if kind == "ReturnStmt":
            self.returned(inner)
        elif kind == "IfStmt":
            self.visit(inner[0], "truth")
            for child in inner[1:]:
                self.visit(child, "statement")
        elif kind == "WhileStmt":
            self.visit(inner[0], "truth")
            self.visit(inner[-1], "statement")
        elif kind == "DoStmt":
            self.visit(inner[0], "statement")
            self.visit(inner[1], "truth")
        elif kind == "ForStmt":
            for child, context in zip(inner, ["statement", "", "truth", "statement", "statement"]):
                self.visit(child, context)
        elif kind == "VarDecl":
            if node.get("storageClass") != "static":
                self.children(node)
        elif kind in ("CompoundStmt", "LabelStmt", "CaseStmt", "DefaultStmt"):
            self.children(node, "statement")
        else:
            self.children(node)

    def returned(self, inner):
        if not inner:
            return
        node = inner[0]
        while node.get("kind") in TRANSPARENT and node.get("inner"):
            node = node["inner"][0]
        span = self.span(inner[0])
        plain = node.get("kind") in ("DeclRefExpr", "MemberExpr", "IntegerLiteral") or (
            node.get("kind") == "UnaryOperator" and node["opcode"] == "-")
        if plain and span and self.text[slice(*span)] not in ("true", "false"):
            if is_bool(inner[0]):
                self.site(inner[0], "return", "CONDITION", ["always", "never"])
            elif is_number(inner[0]):
                self.site(inner[0], "return", "VALUE", ["negated"])
            return
        self.visit(inner[0], "value")

    # ---- the copy ----

    def copy(self):
        out, at = [], 0
        replaced = {b: (e, new) for b, e, new in self.replaced}
        while at <= len(self.text):
            # What ends here ends before anything begins here; the innermost first.
            out += self.suffixes.get(at, [])
            out += self.prefixes.get(at, [])
            if at in replaced:
                end, new = replaced[at]
                out.append(new)
                at = end
                continue
            out.append(self.text[at:at + 1])
            at += 1
        return "".join(out)


def mark_main(node, main, state):
    """Says of each location if it is in the file itself: the tree names a file where it changes."""
    if isinstance(node, list):
        for child in node:
            mark_main(child, main, state)
        return
    if "offset" in node and "tokLen" in node:
        state["file"] = node.get("file", state.get("file"))
        node["main"] = state["file"] == main
        return
    for key, child in node.items():
        if key in ("loc", "range", "begin", "end", "spellingLoc", "expansionLoc", "inner") \
                and isinstance(child, (dict, list)):
            mark_main(child, main, state)


def tree(clang, libtdp, path):
    command = [clang, "-std=gnu11", "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json",
               "-I", libtdp, "-I", os.path.join(libtdp, "include"),
               "-I", os.path.join(libtdp, "platform"), path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"rewrite.py: {' '.join(command)}:\n{done.stderr}")
    found = json.loads(done.stdout)
    mark_main(found, path, {})
    return found


def rewrite(clang, libtdp, out, name, first_site):
    with open(os.path.join(libtdp, name), encoding="utf-8") as f:
        text = HINTS.sub(lambda m: " " * len(m[0]), f.read())
    path = os.path.join(out, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    rewriter = Rewriter(text, first_site)
    for node in tree(clang, libtdp, path)["inner"]:
        if node.get("kind") != "FunctionDecl" or not node["loc"].get("main") \
                or ASSERTING_FUNCTION.match(node["name"]):
            continue
        rewriter.function = node["name"]
        for child in node.get("inner", []):
            if child["kind"] == "CompoundStmt":
                rewriter.visit(child, "statement")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#line 1 "{os.path.join(libtdp, name)}"\n' + rewriter.copy())
    for skipped in rewriter.skipped:
        print(f"{name}: not changed: {skipped}", file=sys.stderr)
    return [{"file": name, **site} for site in rewriter.sites]


def main():
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    clang, libtdp, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    sites = []
    for name in sys.argv[4:]:
        sites += rewrite(clang, libtdp, out, name, len(sites))
    seen = {}
    for number, site in enumerate(sites):
        site["site"] = number
        key = (site["file"], site["function"], site["kind"], site["text"])
        seen[key] = seen.get(key, 0) + 1
        site["nth"] = seen[key]
    with open(os.path.join(out, "sites.json"), "w", encoding="utf-8") as f:
        json.dump(sites, f, indent=1)
        f.write("\n")
    with open(os.path.join(out, "sites.inc"), "w", encoding="utf-8") as f:
        f.writelines(f"{len(site['changes'])},\t/* {site['file']}:{site['line']} */\n"
                     for site in sites)


if __name__ == "__main__":
    main()
