# SPDX-License-Identifier: GPL-2.0-only
"""Configuring and building CMake presets."""
import json
import os
import shutil
import time

import live
import paths


def presets():
    """The presets one can build: name -> description."""
    with open(os.path.join(paths.ROOT, "CMakePresets.json"), encoding="utf-8") as f:
        listed = json.load(f)["configurePresets"]
    return {p["name"]: p.get("description", "") for p in listed if not p.get("hidden")}


def folder(preset):
    return os.path.join(paths.BUILD, preset)


def configure(preset, where=None, defines=()):
    """Configures a preset unless that was done already for this source tree. `where` is the folder if it
    is not the preset's own, `defines` are cache variables for it, NAME=VALUE."""
    where = where or folder(preset)
    cache = os.path.join(where, "CMakeCache.txt")
    if os.path.exists(cache) and os.path.exists(os.path.join(where, "build.ninja")):
        with open(cache, encoding="utf-8") as f:
            lines = f.read().splitlines()
        if f"CMAKE_HOME_DIRECTORY:INTERNAL={paths.ROOT}" not in lines:
            shutil.rmtree(where)
        elif {define.replace("=", ":STRING=", 1) for define in defines} <= set(lines):
            return
    status, output = live.watch(["cmake", "-S", paths.ROOT, "--preset", preset, "-B", where,
                                 *("-D" + define for define in defines)],
                                f"configure {preset}")
    if status:
        raise paths.Failure(f"configuring '{preset}' failed:\n" + "\n".join(output[-30:]))


def build(preset, jobs, targets=(), where=None, defines=()):
    """Builds a preset, or some targets of it; returns its folder, or fails with the output. See
    configure()."""
    begun = time.monotonic()
    configure(preset, where, defines)
    where = where or folder(preset)
    command = ["cmake", "--build", where, "-j", str(jobs)]
    if targets:
        command += ["--target", *targets]
    status, output = live.watch(command, f"build {preset}")
    if status:
        said = [line for line in output if not line.startswith(("[", "-- "))]
        raise paths.Failure(f"building '{preset}' failed:\n" + "\n".join(said[-60:]))
    print(f"built {preset} in {time.monotonic() - begun:.0f} s: {paths.shown(where)}", flush=True)
    return where


def program(where, name):
    """The path of a program of a build, or a failure that says it is not part of it."""
    path = os.path.join(where, name)
    if not os.path.exists(path):
        raise paths.Failure(f"{paths.shown(where)} has no program '{name}'")
    return path
