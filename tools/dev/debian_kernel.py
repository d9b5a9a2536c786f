# SPDX-License-Identifier: GPL-2.0-only
"""Debian's source packages of kernels that this machine's own releases may not have, up to the newest:
fetched by apt, from the machine's own mirrors, with lists, cache and settings of its own, so that nothing of
the system's apt changes and nobody needs to be root."""
import glob
import os
import re
import shutil
import subprocess

import live
import paths

# What --kernel calls the newest kernel that Debian has, and the suite that has it.
NEWEST_KERNEL = "newest"
NEWEST = "sid"
SUITES = ["oldoldstable", "oldstable", "stable", "testing", "unstable", NEWEST]
# Options of one-line sources whose name as a field is not the option's, capitalised.
FIELDS = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}


def _one_line(line):
    """A source in one line, `deb [OPTIONS] URI SUITE COMPONENT...`, as fields; None if it is none."""
    found = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*(.*)", line.split("#")[0])
    if not found:
        return None
    options, uri, suite, components = found.groups()
    stanza = {"Types": "deb", "URIs": uri, "Suites": suite, "Components": components.strip()}
    for name, value in re.findall(r"([\w-]+)=(\S+)", options or ""):
        field = FIELDS.get(name, "-".join(word.capitalize() for word in name.split("-")))
        stanza[field] = value.replace(",", " ")
    return stanza


def _deb822(text):
    """Sources as apt's newer format has them: fields, in paragraphs."""
    names = {name.lower(): name for name in ("Types", "URIs", "Suites", "Components", "Enabled")}
    for paragraph in re.split(r"\n[ \t]*\n", re.sub(r"^#.*\n?", "", text, flags=re.M)):
        stanza = {}
        for name, value in re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.M):
            stanza[names.get(name.lower(), name)] = value
        if stanza:
            yield stanza


def stanzas(name, text):
    """The sources of binary packages that a file of apt's names, as fields of its newer format."""
    if name.endswith(".sources"):
        found = _deb822(text)
    else:
        found = filter(None, map(_one_line, text.splitlines()))
    return [s for s in found if "deb" in s.get("Types", "").split()
            and s.get("Enabled", "yes").strip().lower() not in ("no", "false", "0")]


def sources(found, codename):
    """What apt is to look into: the machine's own Debian releases, and the newest one on the same mirrors.
    '' if no source is Debian's.

    found: the machine's sources, as stanzas() gives them; codename: of its release, "bookworm" """
    text = []
    for stanza in found:
        suites = stanza.get("Suites", "").split()
        release = [s for s in suites if s.split("-")[0].split("/")[0] in [codename] + SUITES]
        if not release or "main" not in stanza.get("Components", "").split():
            continue
        if set(release) & set([codename] + SUITES) and NEWEST not in release:
            release.append(NEWEST)
        fields = dict(stanza, Types="deb", Suites=" ".join(release), Components="main")
        text.append("".join(f"{name}: {value}\n".replace(": \n", ":\n", 1)
                            for name, value in fields.items()))
    return "\n".join(dict.fromkeys(text))


def machine_sources(etc="/etc"):
    """This machine's sources, and its release's codename (None if that is not to be found)."""
    found = []
    for path in [os.path.join(etc, "apt/sources.list")] + sorted(
            glob.glob(os.path.join(etc, "apt/sources.list.d/*"))):
        if path.endswith((".list", ".sources")) and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                found += stanzas(path, f.read())
    try:
        with open(os.path.join(etc, "os-release"), encoding="utf-8") as f:
            codename = re.search(r"^VERSION_CODENAME=\"?([\w-]+)", f.read(), re.M)
    except FileNotFoundError:
        codename = None
    return found, codename and codename[1]


def newest(names):
    """The newest of some packages linux-source-VERSION: "7.2"; None if there is none."""
    versions = [name.removeprefix("linux-source-") for name in names]
    versions = [v for v in versions if re.fullmatch(r"\d+\.\d+", v)]
    return max(versions, key=lambda v: [int(n) for n in v.split(".")], default=None)


class Apt:
    """Apt with folders of its own, below `folder`; it knows of no installed package, for those may not be
    to be had."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.sources = os.path.join(self.folder, "machine.sources")
        self.options = []
        for name, value in (("Dir::State", "state"), ("Dir::State::status", "status"),
                            ("Dir::Cache", "cache")):
            self.options += ["-o", f"{name}={os.path.join(self.folder, value)}"]
        for name, value in (("Dir::Etc::SourceList", self.sources), ("Dir::Etc::SourceParts", "/dev/null"),
                            ("Acquire::Languages", "none"), ("APT::Sandbox::User", "root")):
            self.options += ["-o", f"{name}={value}"]

    def update(self):
        """Gets the lists of packages; returns the mirrors' addresses and what apt said."""
        if not shutil.which("apt-get"):
            raise paths.Failure("this is not Debian: there is no apt-get to fetch a kernel with; name a "
                                "kernel's tree", status=2)
        found, codename = machine_sources()
        text = sources(found, codename)
        if not text:
            raise paths.Failure("no line of /etc/apt/sources.list or /etc/apt/sources.list.d names a mirror "
                                f"of Debian (suite {codename or 'of this release'} or stable, component "
                                "main) to fetch a kernel from; name a kernel's tree", status=2)
        for lists in ("state/lists", "cache/archives"):
            os.makedirs(os.path.join(self.folder, lists, "partial"), exist_ok=True)
        for path, contents in ((self.sources, text), (os.path.join(self.folder, "status"), "")):
            with open(path, "w", encoding="utf-8") as f:
                f.write(contents)
        _, said = live.watch(["apt-get", *self.options, "update"], "lists of packages")
        uris = sorted({uri for line in re.findall(r"^URIs:(.*)", text, re.M) for uri in line.split()})
        return uris, said

    def ask(self, *question):
        return subprocess.run(["apt-cache", *self.options, *question], stdout=subprocess.PIPE, text=True,
                              check=False).stdout

    def package(self, wanted):
        """The package linux-source-VERSION, and its own version: ("linux-source-7.2", "7.2.13-1").

        wanted: "7.2" or NEWEST_KERNEL"""
        uris, said = self.update()
        names = [line.split()[0] for line in
                 self.ask("search", "--names-only", r"^linux-source-[0-9.]+$").splitlines() if line]
        if not names:
            raise paths.Failure(f"apt finds no kernel's source on {', '.join(uris)} ({NEWEST}); is there a "
                                "network? It says:\n" + "\n".join(said[-10:]), status=2)
        name = "linux-source-" + (newest(names) if wanted == NEWEST_KERNEL else wanted)
        if name not in names:
            raise paths.Failure(f"--kernel {wanted}: there is no package {name} on {', '.join(uris)} "
                                f"({NEWEST}), which has {', '.join(sorted(names))}", status=2)
        return name, re.search(r"^Version: (\S+)", self.ask("show", "--no-all-versions", name), re.M)[1]

    def download(self, package):
        """Fetches a package and opens it; returns the folder that has its files."""
        opened = os.path.join(self.folder, package)
        shutil.rmtree(opened, ignore_errors=True)
        os.makedirs(opened)
        status, said = live.watch(["apt-get", *self.options, "download", package], f"fetch {package}",
                                  cwd=opened)
        debs = glob.glob(os.path.join(opened, "*.deb"))
        if status or not debs:
            raise paths.Failure(f"fetching {package} failed:\n" + "\n".join(said[-10:]), status=2)
        status, said = live.watch(["dpkg-deb", "-x", debs[0], opened], f"open {package}")
        if status:
            raise paths.Failure(f"{debs[0]} is no package: " + "\n".join(said[-10:]), status=2)
        return opened
