# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""The corpus on Linux 6.1's own code."""
import upstream_version

upstream_version.main("6.1")
