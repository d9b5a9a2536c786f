#!/bin/bash -eu
# SPDX-License-Identifier: GPL-2.0-only
exec "$SRC/libtdp/fuzz/oss-fuzz/build.sh"
