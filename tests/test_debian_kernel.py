# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""What ./dev upstream --kernel VERSION looks for, and where, as far as no network is needed: the sources made
of all kinds of mirrors' lines, which version is the newest, what is said where nothing is found."""
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "tools", "lint")]

import debian_kernel  # noqa: E402
import kernel_tree    # noqa: E402
import paths          # noqa: E402

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ONE_LINE = f"""\
# deb http://commented.example/debian bookworm main
deb [arch=amd64,i386 signed-by={KEYRING}] http://mirror.example/debian bookworm main contrib # here
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb http://security.example/debian-security bookworm-security main
deb https://vendor.example/apt tool-bookworm main
deb https://other.example/debian bookworm stable
deb cdrom:[Debian GNU/Linux 12]/ bookworm contrib
"""
NEWER = """\
# What the installer wrote.
Types: deb deb-src
URIs: http://mirror.example/debian
# A remark in the middle.
 http://second.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
types: deb
uris: http://off.example/debian
suites: bookworm
components: main

types: deb
uris: https://vendor.example/node
suites: nodistro
components: main
"""


class Sources(unittest.TestCase):
    def made(self, name, text, codename="bookworm"):
        return debian_kernel.sources(debian_kernel.stanzas(name, text), codename)

    def test_one_line_sources(self):
        self.assertEqual(self.made("sources.list", ONE_LINE), f"""\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm sid
Components: main
Architectures: amd64 i386
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-updates
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
""")

    def test_paragraphs(self):
        self.assertEqual(self.made("debian.sources", NEWER), """\
Types: deb
URIs: http://mirror.example/debian
 http://second.example/debian
Suites: bookworm bookworm-updates sid
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
""")

    def test_other_releases(self):
        line = "deb http://mirror.example/debian {} main\n"
        for suite, suites in (("trixie", "trixie sid"), ("stable", "stable sid"), ("sid", "sid"),
                              ("unstable", "unstable sid"), ("trixie-backports", "trixie-backports")):
            with self.subTest(suite):
                self.assertIn(f"Suites: {suites}\n",
                              self.made("a.list", line.format(suite), "trixie"))
        self.assertEqual(self.made("a.list", line.format("bookworm"), "trixie"), "")
        self.assertIn("Suites: stable sid\n", self.made("a.list", line.format("stable"), None))

    def test_a_source_that_is_listed_twice_is_named_once(self):
        line = "deb http://mirror.example/debian bookworm main\n"
        self.assertEqual(self.made("a.list", line * 2).count("Types:"), 1)

    def test_apt_understands_them(self):
        """What apt would fetch the lists of packages from, which needs no network to be told."""
        if not shutil.which("apt-get"):
            self.skipTest("no apt-get")
        with tempfile.TemporaryDirectory() as folder:
            apt = debian_kernel.Apt(folder)
            for part in ("state/lists/partial", "cache/archives/partial"):
                os.makedirs(os.path.join(folder, part))
            with open(os.path.join(folder, "status"), "w", encoding="utf-8"):
                pass
            with open(apt.sources, "w", encoding="utf-8") as f:
                f.write(self.made("sources.list", ONE_LINE))
            self.assertEqual(apt.ask("search", "--names-only", "."), "", "installed packages are seen")
            told = subprocess.run(["apt-get", *apt.options, "update", "--print-uris"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(told.returncode, 0, told.stdout)
        self.assertCountEqual(re.findall(r"'(\S+)/InRelease'", told.stdout),
                              ["http://mirror.example/debian/dists/bookworm",
                               "http://mirror.example/debian/dists/sid",
                               "http://mirror.example/debian/dists/bookworm-updates",
                               "http://security.example/debian-security/dists/bookworm-security"])


class Machine(unittest.TestCase):
    def test_both_kinds_of_files_are_read(self):
        with tempfile.TemporaryDirectory() as etc:
            os.makedirs(os.path.join(etc, "apt/sources.list.d"))
            for name, text in (("apt/sources.list", "deb http://a.example/debian bookworm main\n"),
                               ("apt/sources.list.d/b.list", "deb http://b.example/ bookworm main\n"),
                               ("apt/sources.list.d/c.sources", NEWER),
                               ("apt/sources.list.d/c.sources.bak", NEWER),
                               ("os-release", "ID=debian\nVERSION_CODENAME=bookworm\n")):
                with open(os.path.join(etc, name), "w", encoding="utf-8") as f:
                    f.write(text)
            found, codename = debian_kernel.machine_sources(etc)
        self.assertEqual(codename, "bookworm")
        self.assertEqual([s["URIs"].split()[0] for s in found],
                         ["http://a.example/debian", "http://b.example/", "http://mirror.example/debian",
                          "https://vendor.example/node"])

    def test_without_anything(self):
        with tempfile.TemporaryDirectory() as etc:
            self.assertEqual(debian_kernel.machine_sources(etc), ([], None))


class Package(unittest.TestCase):
    """With an apt that says what it is told to."""
    SEARCH = "linux-source-6.12 - Linux kernel source\nlinux-source-7.2 - Linux kernel source\n"

    def package(self, wanted, search, found=(ONE_LINE, "bookworm")):
        text, codename = found
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(debian_kernel.shutil, "which", return_value="/usr/bin/apt-get"), \
                mock.patch.object(debian_kernel, "machine_sources", return_value=(
                    debian_kernel.stanzas("sources.list", text), codename)), \
                mock.patch.object(debian_kernel.live, "watch", return_value=(
                    100, ["Err:1 http://mirror.example/debian sid InRelease"])), \
                mock.patch.object(debian_kernel.Apt, "ask", side_effect=lambda *question: (
                    search if question[0] == "search" else "Package: x\nVersion: 7.2.13-1\n")):
            return debian_kernel.Apt(folder).package(wanted)

    def test_newest(self):
        self.assertEqual(self.package("newest", self.SEARCH), ("linux-source-7.2", "7.2.13-1"))
        self.assertEqual(debian_kernel.newest(["linux-source-7.2", "linux-source-7.10",
                                               "linux-source-6.19", "linux-source"]), "7.10")
        self.assertIsNone(debian_kernel.newest([]))

    def refused(self, *args):
        with self.assertRaises(paths.Failure) as failure:
            self.package(*args)
        self.assertEqual(failure.exception.status, 2)
        return str(failure.exception)

    def test_version_that_no_mirror_has(self):
        said = self.refused("5.99", self.SEARCH)
        self.assertIn("--kernel 5.99: there is no package linux-source-5.99 on "
                      "http://mirror.example/debian, http://security.example/debian-security (sid)", said)
        self.assertIn("which has linux-source-6.12, linux-source-7.2", said)

    def test_no_network(self):
        said = self.refused("newest", "")
        self.assertIn("is there a network?", said)
        self.assertIn("Err:1 http://mirror.example/debian sid InRelease", said)

    def test_no_mirror(self):
        said = self.refused("7.2", self.SEARCH, ("deb https://vendor.example/apt tool main", "bookworm"))
        self.assertIn("names a mirror of Debian (suite bookworm or stable, component main)", said)


class Tree(unittest.TestCase):
    def test_kept_until_another_is_wanted(self):
        name = "linux-source-9.9"
        with tempfile.TemporaryDirectory() as folder:
            tarball = os.path.join(folder, name + ".tar.xz")
            with tarfile.open(tarball, "w:xz") as tar:
                for part in kernel_tree.FOLDERS + kernel_tree.BUILT_WITH:
                    about = tarfile.TarInfo(f"{name}/{part}")
                    if "." in part or part == "Makefile":
                        about.type = tarfile.REGTYPE
                    else:
                        about.type = tarfile.DIRTYPE
                        about.mode = 0o755
                    tar.addfile(about)
            cache = os.path.join(folder, "cache")
            self.assertIsNone(kernel_tree.kept(cache, name))
            tree = kernel_tree.unpack(cache, tarball, "9.9.1-1")
            self.assertTrue(os.path.isdir(os.path.join(tree, "virt/kvm")))
            self.assertEqual(kernel_tree.kept(cache, name), tree)
            self.assertEqual(kernel_tree.kept(cache, name, "9.9.1-1"), tree)
            self.assertIsNone(kernel_tree.kept(cache, name, "9.9.2-1"))
            with mock.patch.object(kernel_tree, "BUILT_WITH", kernel_tree.BUILT_WITH + ["mm"]):
                self.assertIsNone(kernel_tree.kept(cache, name))


if __name__ == "__main__":
    unittest.main()
