# SPDX-License-Identifier: GPL-2.0-only
# tdp-test: plain-only
"""The corpus on Linux 7.2's own code."""
import upstream_version

upstream_version.main("7.2")
