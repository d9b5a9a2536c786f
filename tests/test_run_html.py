#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tdp run --html: the page, opened in a headless Chromium and clicked through.

tdp-test: plain-only
"""
# tdp-test: plain-only
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

TDP = os.path.join(os.environ["TDP_BUILD"], "tdp")
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"

PROGRAM = """tdp 1
vm mmu=ept ad=on levels=4
# </script><b>"no markup" \\ & \u00e9</b>
slot 0 base=0x0 pages=0x1000 backing=2M flags=
thread vcpu 0
	write 0x200
	exec 0x201
thread vcpu 1
	write 0x203
thread host
	unmap 0x201 0x1
schedule
	t0.1@op#1 -> t2
	t2.0@op#1 -> t1
"""

# Breaks rule T where the flush for a table that a huge page replaces is missing.
PLANTED = TDP + "-huge-over-table-no-flush"
BREAKS_T = """tdp 1
vm nx_huge_pages=off
slot 0 base=0x0 pages=0x400 backing=4K
thread vcpu 0
	read 0x0
	write 0x1
	read 0x2
thread vcpu 1
	write 0x3
	read 0x4
thread host
	huge-form 0x0 2M
schedule
	t0.2@op#1 -> t1
	t1.1@op#1 -> t2
"""


def missing():
    """What the browser's part of this test needs and is not there."""
    lacking = [p for p in (CHROMIUM, DRIVER) if not os.path.exists(p)]
    try:
        import selenium.webdriver  # noqa: F401, pylint: disable=unused-import
    except ImportError:
        lacking.append("selenium of python3")
    try:
        # How the driver reaches the browser; a bare chroot has no such name.
        socket.getaddrinfo("localhost", None)
    except OSError:
        lacking.append("the name localhost in /etc/hosts")
    return lacking


def make_page(folder, program=PROGRAM, tdp=TDP, status=0):
    source, page = os.path.join(folder, 'a "b".tdp'), os.path.join(folder, "out.html")
    with open(source, "w", encoding="utf-8") as f:
        f.write(program)
    done = subprocess.run([tdp, "run", "--quiet", "--html", page, source], check=False,
                          stdout=subprocess.DEVNULL)
    if done.returncode != status:
        raise AssertionError(f"{tdp} run --html: status {done.returncode}, expected {status}")
    with open(page, encoding="utf-8") as f:
        return page, f.read()


def data_of(text):
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    return json.loads(found[1])


class Page(unittest.TestCase):
    """What is written, without a browser."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.page, self.text = make_page(self.folder.name)
        self.data = data_of(self.text)

    def test_self_contained(self):
        outside = re.findall(r"(?:src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest", self.text)
        self.assertEqual(outside, [])
        for url in re.findall(r"https?://[^\s\"']+", self.text):
            self.assertEqual(url, "http://www.w3.org/2000/svg")

    def test_escaping(self):
        self.assertEqual(self.data["program"], PROGRAM.splitlines())
        self.assertTrue(self.data["file"].endswith('a "b".tdp'))
        self.assertNotIn("<b>", self.text)

    def test_says_what_the_trace_says(self):
        source = os.path.join(self.folder.name, 'a "b".tdp')
        trace = subprocess.run([TDP, "run", "--trace=points", "--width=1000", source], check=True,
                               stdout=subprocess.PIPE, text=True).stdout.splitlines()
        shown = [re.sub(r"^ +\d+  [\u2502\u2570\u256f\u2500\u25b6\u25c0 ]*", "", line)
                 for line in trace if re.match(r" +\d+  ", line)]
        shown = [re.sub(r"  \[\w+\.[ch]:\d+\]$", "", line) for line in shown]
        self.assertEqual([s["x"] for s in self.data["steps"]], shown)

    def test_changes_lead_to_the_end(self):
        """Replaying the changes ends with no tables, and never writes to one that is not there."""
        tables = set()
        for step in self.data["steps"]:
            for what, pa, *rest in step.get("d", []):
                if what == "a":
                    self.assertNotIn(pa, tables)
                    tables.add(pa)
                elif what == "f":
                    tables.remove(pa)
                elif what == "e":
                    self.assertIn(pa - pa % 4096, tables)
                    self.assertLess(rest[1], len(self.data["values"]))
        self.assertEqual(tables, set())

    def test_not_writable(self):
        done = subprocess.run([TDP, "run", "--html", "/nonexistent/x.html",
                               os.path.join(self.folder.name, 'a "b".tdp')],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nonexistent/x.html: No such file or directory", done.stderr)


@unittest.skipIf(missing(), "not there: " + ", ".join(missing()))
class Browser(unittest.TestCase):
    """What people see and do."""

    @classmethod
    def setUpClass(cls):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        cls.folder = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--window-size=1600,1000", "--user-data-dir=" + cls.folder.name + "/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        cls.page, cls.text = make_page(cls.folder.name)
        cls.data = data_of(cls.text)

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        cls.folder.cleanup()

    def setUp(self):
        self.open(self.text)

    def tearDown(self):
        self.assertEqual(self.driver.get_log("browser"), [])

    def open(self, text):
        with open(self.page, "w", encoding="utf-8") as f:
            f.write(text)
        self.driver.get("file://" + self.page)
        self.assertEqual(self.js("document.body.dataset.ready"), "1")

    def js(self, expression):
        return self.driver.execute_script("return " + expression)

    def find(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def key(self, name):
        from selenium.webdriver.common.keys import Keys
        self.find("body").send_keys(getattr(Keys, name, name))

    def step(self):
        return int(self.js("document.body.dataset.step"))

    def tree(self):
        return self.js("document.getElementById('tree').innerText")

    def highlighted(self):
        """The number of the highlighted row; there is one, and it can be seen."""
        rows = self.js("[...document.querySelectorAll('.row.now')].map(r => [r.dataset.i, "
                       "r.getBoundingClientRect().top, r.getBoundingClientRect().bottom])")
        self.assertEqual(len(rows), 1)
        box = self.js("(b => [b.top, b.bottom])("
                      "document.getElementById('steps').getBoundingClientRect())")
        self.assertGreaterEqual(rows[0][1], box[0] - 1)
        self.assertLessEqual(rows[0][2], box[1] + 1)
        return int(rows[0][0])

    def go_to(self, pattern):
        """Clicks on the row whose text matches."""
        i = next(i for i, s in enumerate(self.data["steps"]) if re.search(pattern, s["x"]))
        # Rows are made as they come into sight, on the frame after that.
        self.driver.execute_async_script(
            f"document.getElementById('steps').scrollTop = placeOf({i}) * 22 - 100;"
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        self.find(f".row[data-i='{i}'] .text").click()
        self.assertEqual(self.highlighted(), i)

    def test_number_of_steps(self):
        total = len(self.data["steps"])
        self.find("#filter [data-detail='2']").click()
        self.assertTrue(self.js("document.getElementById('count').textContent")
                        .endswith(f" of {total}"))
        self.assertEqual(int(self.find("#scrub").get_attribute("max")), total - 1)
        self.find("#filter [data-detail='0']").click()
        calls = int(self.find("#scrub").get_attribute("max")) + 1
        self.assertLess(calls, total)
        self.assertGreater(calls, 10)

    def test_columns(self):
        heads = self.js("[...document.querySelectorAll('#heads div')].map(d => d.textContent)")
        self.assertEqual(heads, ["t0 vcpu 0", "t1 vcpu 1", "t2 host"])
        self.go_to(r"^t0\.0 write")
        first = self.find(".row.now .text").location["x"]
        self.go_to(r"^t2\.0 unmap")
        self.assertGreater(self.find(".row.now .text").location["x"], first + 100)

    def test_click_changes_the_tree(self):
        self.go_to(r"^cmpxchg\(512G\)")
        before = self.tree()
        self.assertNotIn("0x400200", before)
        self.go_to(r"^cmpxchg\(2M\).*none .* page")
        after = self.tree()
        self.assertIn("0x400200", after)
        changed = self.find(".entry.changed")
        self.assertIn("0x200", changed.text)
        self.assertIn("rw-", changed.text)
        self.assertIn("8600000400200bf3", self.find("#detail").text)

    def test_keys(self):
        self.key("HOME")
        self.assertEqual(self.step(), 0)
        self.assertIn("no page tables", self.tree())
        self.key("ARROW_RIGHT")
        self.key("ARROW_RIGHT")
        self.assertEqual(self.step(), 2)
        self.key("ARROW_LEFT")
        self.assertEqual(self.step(), 1)
        first = self.highlighted()
        self.key("s")
        self.assertEqual(self.js("document.body.dataset.kind"), "switch")
        self.assertGreater(self.highlighted(), first)
        self.key("END")
        self.assertEqual(self.step(), int(self.find("#scrub").get_attribute("max")))
        self.assertIn("no page tables", self.tree())

    def test_scrubber(self):
        seen = set()
        last = int(self.find("#scrub").get_attribute("max"))
        for part in (0.1, 0.3, 0.6, 1.0):
            want = int(last * part)
            self.driver.execute_script(
                "const s = document.getElementById('scrub'); s.value = arguments[0];"
                "s.dispatchEvent(new Event('input'))", want)
            self.assertEqual(self.step(), want)
            self.highlighted()
            seen.add(self.tree())
        self.assertGreater(len(seen), 2)

    def test_forward_is_what_backward_is(self):
        """The state at a step does not depend on where one came from."""
        last = int(self.find("#scrub").get_attribute("max"))
        def state(i):
            return self.js(f"(go({i}), document.getElementById('tree').innerText + "
                           "document.getElementById('state').innerText)")
        forward = [state(i) for i in range(last + 1)]
        backward = [state(i) for i in range(last, -1, -1)][::-1]
        self.assertEqual(forward, backward)

    def test_tlb(self):
        self.go_to(r"vCPU 0 write 0x200: done")
        vcpus = self.find("#state").text
        self.assertIn("vCPU 0", vcpus)
        self.assertIn("0x400200", vcpus)
        stale = "document.querySelectorAll('#state tr.stale').length"
        self.assertEqual(self.js(stale), 0)
        # Between the zap and its flush the TLB has what the page table has not.
        self.go_to(r"^write\(2M\).* none$")
        self.assertGreater(self.js(stale), 0)
        self.go_to(r"^flush ")
        self.assertEqual(self.js(stale), 0)

    def test_play(self):
        self.key("HOME")
        self.find("#play").click()
        from selenium.webdriver.support.ui import WebDriverWait
        WebDriverWait(self.driver, 10).until(lambda d: self.step() >= 2)
        self.find("#play").click()
        self.assertIn("play", self.find("#play").text)

    def test_program(self):
        self.go_to(r"^t2\.0 unmap")
        self.find("#verdict button").click()
        at = self.js("[...document.querySelectorAll('#program .at')].map(e => e.textContent)")
        self.assertIn("\tunmap 0x201 0x1", at)
        self.assertIn("</script>", self.js("document.getElementById('program').textContent"))

    def test_nothing_found(self):
        self.assertIn("no rule is broken", self.find("#verdict").text)
        self.assertFalse(self.find("#next-bad").is_enabled())

    def test_violation(self):
        _, text = make_page(self.folder.name, BREAKS_T, PLANTED, status=1)
        self.open(text)
        bad = self.find(".row.bad.now")
        self.assertIn("rule T broken", bad.text)
        self.assertTrue(bad.is_displayed())
        self.assertIn("rule T broken", self.find("#detail .bad").text)
        i = self.highlighted()
        for way in ("v", "#next-bad", "#verdict button:last-child"):
            self.key("HOME")
            self.assertNotEqual(self.highlighted(), i)
            if way == "v":
                self.key("v")
            else:
                self.find(way).click()
            self.assertEqual(self.highlighted(), i)
        self.assertIn("rule T", self.find("#verdict").text)
        self.assertIn("removed", self.tree())


if __name__ == "__main__":
    if missing() and sys.executable != "/usr/bin/python3" and \
            os.path.exists("/usr/bin/python3"):
        # Debian's packages are for Debian's own interpreter.
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    result = unittest.main(exit=False).result
    if result.wasSuccessful() and result.skipped:
        print(result.skipped[0][1] + " (Debian: chromium chromium-driver python3-selenium)")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
