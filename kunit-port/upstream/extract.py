#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes, out of a kernel tree, what the upstream backend is compiled from besides the tree's own files.

    extract.py TREE OUT

reads the manifest beside this file, which says what is taken from where, and writes into the folder
OUT. The tree is only read. Exit status 2, and a message that says what to do, if the tree lacks
something."""
import os
import re
import sys

import c_items

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFEST = os.path.join(HERE, "manifest")
SHOWN = "kunit-port/upstream/manifest"
SYSTEM_HEADERS = {"linux/errno.h", "linux/limits.h"}    # the C library's own headers include these


class Misfit(Exception):
    """The tree is not as the manifest says."""


class Manifest:
    """What the manifest says, in its order.

    takes: output -> [(file, [(name, optional, line)])]; headers: {name: file}; compiled: [file];
    hidden: [file]"""

    def __init__(self, path):
        self.takes, self.headers, self.compiled, self.hidden = {}, {}, [], []
        wanted = None
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = line.split("#")[0].split()
                if not words:
                    continue
                if line[0].isspace():
                    wanted += [(w.rstrip("?"), w.endswith("?"), number) for w in words]
                elif words[0] == "take" and words[2] == "from":
                    wanted = []
                    self.takes.setdefault(words[1], []).append((words[3], wanted))
                elif words[0] == "header" and words[2] == "from":
                    self.headers[words[1]] = words[3]
                elif words[0] == "compile":
                    self.compiled += words[1:]
                elif words[0] == "hide":
                    self.hidden += words[1:]
                else:
                    raise Misfit(f"{SHOWN}:{number}: expected take, header, compile or hide, "
                                 f"found '{words[0]}'")


def read(tree, name):
    try:
        with open(os.path.join(tree, name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        raise Misfit(f"{tree} has no file '{name}'; where this tree keeps what was in it belongs "
                     f"into {SHOWN}") from None


def lacks(missing):
    """What to say of symbols that are not there: [(path, name, line of the manifest)]."""
    named = "\n".join(f"  {path} has no '{name}' ({SHOWN}:{line})" for path, name, line in missing)
    return Misfit(f"the tree lacks what the shims need:\n{named}\nIf something has another name in this "
                  "tree, list that one there, with a '?' after each; if it is gone, a '?' says that the "
                  "shims do without (they can ask for it: TREE_HAS_NAME)")


def emit(item, path):
    opened = "".join("".join(branch) for branch in item.around)
    closed = "#endif\n" * len(item.around)
    text = item.text if item.text.endswith("\n") else item.text + "\n"
    return f"{opened}#line {item.line} \"{path}\"\n{text}{closed}"


def prototypes(chosen):
    """Of the functions that are not static, which the kernel has in headers."""
    heads = [" ".join(c_items.without_comments(i.text).split("{")[0].split()) for i in chosen
             if i.kind == "function"]
    return "".join(head + ";\n" for head in heads if not re.match(r"(static|inline)\b", head))


def without_guard(found, text):
    """Items of a header, less the condition of its include guard, which is around all of them."""
    guard = re.search(r"#ifndef\s+(\w+)\s*\n\s*#define\s+\1\b", text)
    for item in found:
        if guard and item.around and re.match(r"#ifndef\s+" + guard[1] + r"\b", item.around[0][0]):
            item.around = item.around[1:]
    return found


def taken(tree, sources):
    """The text of one output file, the optional names that it has, and what is missing."""
    text, present, missing = [], [], []
    for name, wanted in sources:
        path = os.path.join(tree, name)
        source = read(tree, name)
        found = without_guard(c_items.items(source), source)
        chosen = []
        for symbol, optional, line in wanted:
            matching = [i for i in found if i.name == symbol and i.kind != "prototype"]
            if not matching and not optional:
                missing.append((path, symbol, line))
            if matching and optional:
                present.append(symbol)
            chosen += matching
        text.append(prototypes(chosen))
        text += [emit(item, path) for item in sorted(chosen, key=lambda i: i.line)]
    return "\n".join(text), present, missing


def includes(text):
    return re.findall(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", text, re.M)


def forwarders(tree, manifest):
    """Every <header> that the tree's files include: the tree's own if listed, else an empty one, since the
    life support is there before them."""
    made, todo = {}, list(manifest.headers)
    for name in manifest.compiled + sorted(manifest.headers.values()):
        todo += includes(read(tree, name))
    for folder in ("arch/x86/kvm", "arch/x86/kvm/mmu"):
        for name in sorted(os.listdir(os.path.join(tree, folder))):
            if name.endswith(".h"):
                todo += includes(read(tree, f"{folder}/{name}"))
    for name in todo:
        if name in made:
            continue
        if name in manifest.headers:
            path = os.path.join(tree, manifest.headers[name])
            made[name] = f"#include <life/before.h>\n#include \"{path}\"\n#include <life/after.h>\n"
        elif name in SYSTEM_HEADERS:
            made[name] = f"#include_next <{name}>\n"
        else:
            made[name] = "/* See kunit-port/upstream/kernel.h. */\n"
    return made


def guards(tree, manifest):
    """Headers of the tree whose place the life support takes, although they are found beside others."""
    lines = []
    for name in manifest.hidden:
        if name.endswith("?") and not os.path.exists(os.path.join(tree, name[:-1])):
            continue
        name = name.rstrip("?")
        guard = re.search(r"#ifndef\s+(\w+)\s*\n\s*#define\s+\1\b", read(tree, name))
        if not guard:
            raise Misfit(f"{os.path.join(tree, name)} has no include guard: it cannot be hidden")
        lines.append(f"#define {guard[1]} /* {name} */\n")
    return "".join(lines)


def api_names():
    """The functions of libtdp's public interface: the tree's of the same name get another one."""
    with open(os.path.join(HERE, "../../libtdp/include/tdp/tdp.h"), encoding="utf-8") as f:
        text = c_items.without_comments(f.read())
    names = re.findall(r"^\w[\w *]*?\b(\w+)\(", text, re.M)
    return "".join(f"#define {name} tree_{name}\n" for name in names)


def write(out, name, text):
    """Writes a file unless it is like that already, so that nothing is compiled in vain."""
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tree, out = os.path.abspath(sys.argv[1]), sys.argv[2]
    try:
        manifest = Manifest(MANIFEST)
        config = guards(tree, manifest)
        missing = []
        for output, sources in manifest.takes.items():
            text, present, lacking = taken(tree, sources)
            missing += lacking
            write(out, output, text)
            config += "".join(f"#define TREE_HAS_{name} 1\n" for name in present)
        if missing:
            raise lacks(missing)
        write(out, "tree_config.h", config)
        write(out, "api_names.h", api_names())
        for name, text in forwarders(tree, manifest).items():
            write(os.path.join(out, "include"), name, text)
    except Misfit as misfit:
        print(f"upstream: {misfit}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
