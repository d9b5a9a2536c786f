# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
# tdp-test: timeout=1800
"""libtdp for aarch64, little-endian, weakly ordered: see cross_build.py."""
import cross_build

if __name__ == "__main__":
    cross_build.main("aarch64")
