// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page of `tdp run --html`.  The run is a list of steps, each with what it changed; the state at a
 * step is the nearest keyframe before it plus the changes since.
 */
"use strict";
const $ = id => document.getElementById(id);
const D = JSON.parse($("data").textContent);
const KEYFRAME = 250, ROW = 22, CARD_ROWS = 32, LANE_LEFT = 66;
const LEVELS = ["?", "4K", "2M", "1G", "512G", "256T"];

function el(tag, cls, text) {
	const e = document.createElement(tag);
	if (cls)
		e.className = cls;
	if (text !== undefined)
		e.textContent = text;
	return e;
}

const colour = (e, t) => { e.style.setProperty("--c", t >= 0 ? `var(--t${t % 8})` : "var(--faint)"); return e; };
const hex = n => "0x" + n.toString(16);

/* ---- values of SPTEs: [sort, pfn, attributes or words, raw] ---- */

const values = D.values.map(([sort, pfn, words, raw]) =>
	({ sort, pfn: pfn === "" ? null : BigInt("0x" + pfn), words, raw: BigInt("0x" + raw) }));

/* The n-th of a run of values that differ by a step of frames. */
function nth(v, step, n) {
	if (!n || !step)
		return v;
	return { ...v, pfn: v.pfn + BigInt(step) * BigInt(n), raw: v.raw + (BigInt(step) * BigInt(n) << 12n) };
}

const same = (a, b) => a && b && a.raw === b.raw;

function inWords(v) {
	if (v.sort === "page" || v.sort === "table")
		return `${v.sort} pfn ${hex(v.pfn)} ${v.words}`;
	return v.words;
}

/* ---- the state at a step ---- */

function emptyState() {
	return { tables: new Map(), roots: [], vcpus: {}, locks: new Map(), rcu: {}, pins: {}, ops: {}, wait: {} };
}

function copyState(s) {
	const tables = new Map();
	for (const [pa, t] of s.tables)
		tables.set(pa, { fill: t.fill, linked: t.linked, level: t.level, entries: new Map(t.entries) });
	const locks = new Map();
	for (const [name, held] of s.locks)
		locks.set(name, held.map(h => ({ ...h })));
	return { tables, roots: s.roots, vcpus: { ...s.vcpus }, locks, rcu: { ...s.rcu }, pins: { ...s.pins },
		 ops: { ...s.ops }, wait: { ...s.wait } };
}

const page = pa => Math.floor(pa / 4096) * 4096;
const slot = pa => pa % 4096 / 8;

function setEntry(s, pa, v) {
	const t = s.tables.get(page(pa));
	if (!t)
		return;
	if (v.sort === "none")
		t.entries.delete(slot(pa));
	else
		t.entries.set(slot(pa), v);
}

function lockChange(s, name, thread, delta) {
	const held = s.locks.get(name) || [];
	if (delta > 0)
		held.push({ thread, mode: delta === 1 ? "read" : "write" });
	else
		held.splice(held.findIndex(h => h.thread === thread), 1);
	s.locks.set(name, held);
}

const changes = {
	a: (s, pa) => s.tables.set(pa, { fill: 0, linked: false, level: 0, entries: new Map() }),
	f: (s, pa) => s.tables.delete(pa),
	e(s, pa, n, v, step) {
		for (let i = 0; i < n; i++)
			setEntry(s, pa + 8 * i, nth(values[v], step, i));
	},
	R: (s, roots) => { s.roots = roots; },
	v: (s, n, v) => { s.vcpus[n] = v; },
	l: (s, name, thread, delta) => lockChange(s, name, thread, delta),
	u: (s, thread, delta) => { s.rcu[thread] = (s.rcu[thread] || 0) + delta; },
};

function apply(s, step) {
	if (step.k === "op") {
		s.ops[step.t] = step.o;
		delete s.pins[step.t];
	}
	for (const [what, ...args] of step.d || [])
		changes[what](s, ...args);
	if (step.at !== undefined && step.t >= 0)
		s.pins[step.t] = step.at;
	if (step.w)
		s.wait[step.t] = step.w;
	delete s.wait[step.k === "switch" ? step.to : step.t];
	return s;
}

/*
 * Which tables hang below which: levels and gfns follow from the roots. A table keeps the level it had when
 * it is taken out.
 */
function link(s) {
	const byPfn = new Map();
	for (const pa of s.tables.keys())
		byPfn.set(BigInt(pa / 4096), pa);
	const reached = new Map();
	const walk = (pa, level, gfn, parent) => {
		const t = s.tables.get(pa);
		if (!t || reached.has(pa) || level < 1)
			return;
		t.linked = true;
		t.level = level;
		t.gfn = gfn;
		const node = { pa, t, level, gfn, parent, children: [] };
		reached.set(pa, node);
		if (parent)
			parent.children.push(node);
		if (level === 1)
			return;
		for (const i of [...t.entries.keys()].sort((a, b) => a - b)) {
			const v = t.entries.get(i);
			if (v.sort === "table" && byPfn.has(v.pfn))
				walk(byPfn.get(v.pfn), level - 1, gfn + i * 512 ** (level - 1), node);
		}
	};
	for (const root of s.roots)
		walk(root[0], D.levels, 0, null);
	/* Tables below one that was taken out are still below it. */
	for (const [pa, t] of s.tables) {
		if (!reached.has(pa) && t.linked && t.level)
			walk(pa, t.level, t.gfn, null);
	}
	return reached;
}

const keyframes = [];

function buildKeyframes() {
	const s = emptyState();
	D.steps.forEach((step, i) => {
		if (i % KEYFRAME === 0) {
			link(s);
			keyframes.push(copyState(s));
		}
		apply(s, step);
		if (step.d && step.d.some(d => d[0] === "e" || d[0] === "R"))
			link(s);
	});
}

function stateAt(i) {
	const k = Math.floor(i / KEYFRAME);
	const s = copyState(keyframes[k]);
	for (const [pa, t] of s.tables)
		t.gfn = keyframes[k].tables.get(pa).gfn;
	for (let n = k * KEYFRAME; n <= i; n++) {
		apply(s, D.steps[n]);
		if (D.steps[n].d && D.steps[n].d.some(d => d[0] === "e" || d[0] === "R"))
			link(s);
	}
	return s;
}

/* ---- which steps are shown ---- */

let detail = 1, shown = [], now = 0;
const labels = new Map();	/* of steps that stand for those after them, too */
const ends = new Map();		/* the last of those */

const alike = (a, b) => a && a.k === b.k && a.t === b.t && (b.k === "alloc" || b.k === "free");

/* With the points between them out of sight, steps that belong together become one. */
function choose(level) {
	let first, count;

	detail = level;
	shown = [];
	labels.clear();
	ends.clear();
	D.steps.forEach((s, i) => {
		if (s.f > level)
			return;
		const last = shown[shown.length - 1], before = D.steps[last];
		if (level < 2 && before && before.k === "call" && s.k === "ret" && before.t === s.t && !labels.has(last)) {
			labels.set(last, before.x + "  " + s.answer);
			ends.set(last, i);
		} else if (level < 2 && alike(first, s) && before === first) {
			count++;
			labels.set(last, `${count} tables ${s.k === "free" ? "freed" : "allocated"}`);
			ends.set(last, i);
		} else {
			first = s;
			count = 1;
			shown.push(i);
		}
	});
	for (const b of $("filter").children)
		b.setAttribute("aria-pressed", b.dataset.detail === String(level));
	$("scrub").max = Math.max(0, shown.length - 1);
	$("space").style.height = shown.length * ROW + "px";
	drawLine();
	drawRows();
}

/* The place in `shown` of step i, or of the last one before it. */
function placeOf(i) {
	let low = 0, high = shown.length - 1;
	while (low < high) {
		const mid = (low + high + 1) >> 1;
		if (shown[mid] <= i)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

/* ---- the rows ---- */

let lane = 90;
const laneX = t => LANE_LEFT + Math.max(0, t) * lane;

function layLanes() {
	const width = $("steps").clientWidth, n = D.threads.length;
	lane = n > 1 ? Math.max(56, Math.min(150, (width - LANE_LEFT - 330) / (n - 1))) : 0;
	$("heads").replaceChildren(...D.threads.map((t, i) => {
		const head = colour(el("div", "", `t${i} ${t.name}`), i);
		head.style.left = laneX(i) - 10 + "px";
		return head;
	}));
}

/* From which step to which a thread is under way. */
const life = D.threads.map((_, t) => {
	let first = D.steps.length, last = -1;
	D.steps.forEach((s, i) => {
		if (s.t === t && s.k !== "switch") {
			first = Math.min(first, i);
			last = i;
		}
	});
	return [first, last];
});

function makeRow(place) {
	const i = shown[place], s = D.steps[i];
	const row = colour(el("div", "row " + s.k), s.k === "switch" ? s.to : s.t);
	row.dataset.i = i;
	row.style.top = place * ROW + "px";
	if (i === now)
		row.classList.add("now");
	row.append(el("span", "no", place + 1));
	D.threads.forEach((_, t) => {
		const line = colour(el("span", i < life[t][0] || i > life[t][1] ? "lane off" : "lane"), t);
		line.style.left = laneX(t) + "px";
		row.append(line);
	});
	const text = el("span", "text");
	if (s.k === "switch") {
		const from = laneX(s.t), to = laneX(s.to);
		const arrow = el("span", to > from ? "arrow right" : "arrow left");
		arrow.style.left = Math.min(from, to) + "px";
		arrow.style.width = Math.abs(to - from) - 4 + "px";
		row.append(arrow);
		text.append(el("b", "", s.x));
		text.style.left = Math.max(from, to) + 12 + "px";
	} else {
		if (s.t >= 0) {
			const dot = el("span", "dot");
			dot.style.left = laneX(s.t) + "px";
			row.append(dot);
		}
		text.textContent = labels.get(i) || s.x;
		text.style.left = laneX(s.t) + 12 + 14 * s.p + "px";
		if (s.s !== undefined)
			text.append(el("span", "site", D.sites[s.s]));
	}
	row.append(text);
	return row;
}

let drawn = "";

function drawRows(anew = true) {
	const box = $("steps");
	const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10);
	const last = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 10);
	const rows = [];
	if (!anew && drawn === `${first} ${last}`)
		return;
	drawn = `${first} ${last}`;
	for (let p = first; p < last; p++)
		rows.push(makeRow(p));
	$("rows").replaceChildren(...rows);
}

function showRow(place) {
	const box = $("steps"), top = place * ROW;
	if (top < box.scrollTop + 2 * ROW)
		box.scrollTop = Math.max(0, top - box.clientHeight / 3);
	else if (top > box.scrollTop + box.clientHeight - 3 * ROW)
		box.scrollTop = top - box.clientHeight * 2 / 3;
}

/* ---- the tree ---- */

const WIDTHS = { leaf: 262, inner: 138 }, GAP_X = 26, GAP_Y = 12;

function levelX(level) {
	return 14 + (D.levels - level) * (WIDTHS.inner + GAP_X);
}

/* Entries that follow one another, say the same and map frames that follow one another are one line. */
function runsOf(t, level, touched) {
	const runs = [];
	let last = null;
	for (const i of [...t.entries.keys()].sort((a, b) => a - b)) {
		const v = t.entries.get(i);
		const joins = last && last.to === i - 1 && v.sort === last.v.sort && v.words === last.v.words &&
			v.sort !== "table" && !touched.has(i) && !touched.has(i - 1) &&
			(v.pfn === null || v.pfn - last.v.pfn === BigInt(i - last.from) * 512n ** BigInt(level - 1));
		if (joins)
			last.to = i;
		else
			runs.push(last = { from: i, to: i, v });
	}
	return runs;
}

/* What is left of a card with too many lines: those that were touched, and the first ones. */
function cut(runs, touched) {
	if (runs.length <= CARD_ROWS)
		return { runs, left: 0 };
	const important = runs.filter(r => touched.has(r.from));
	const some = new Set(important.slice(0, CARD_ROWS));
	for (const r of runs) {
		if (some.size >= CARD_ROWS)
			break;
		some.add(r);
	}
	return { runs: runs.filter(r => some.has(r)), left: runs.length - some.size };
}

/* Touched entries of each table: changed by this step, read by it, or where a thread was last. */
function touchedBy(step, s, i) {
	const by = new Map();
	const add = (pa, what, t) => {
		const key = page(pa);
		if (!by.has(key))
			by.set(key, new Map());
		const entries = by.get(key);
		if (!entries.has(slot(pa)))
			entries.set(slot(pa), { pins: [] });
		const e = entries.get(slot(pa));
		if (what === "pin")
			e.pins.push(t);
		else
			e[what] = true;
	};
	for (const [what, pa, n] of step.d || [])
		if (what === "e")
			for (let i = 0; i < Math.min(n, CARD_ROWS); i++)
				add(pa + 8 * i, "changed");
	if (step.c)
		add(step.c.pa, step.c.ok ? "changed" : "read");
	else if (step.at !== undefined)
		add(step.at, "read");
	for (const [t, pa] of Object.entries(s.pins))
		if (i <= life[t][1])
			add(pa, "pin", Number(t));
	return by;
}

/* Who froze an entry: whoever wrote the frozen value last. */
function whoFroze(pa, upTo) {
	for (let i = upTo; i >= 0 && i > upTo - 20000; i--)
		for (const [what, at, n] of D.steps[i].d || [])
			if (what === "e" && pa >= at && pa < at + 8 * n)
				return D.steps[i].t;
	return -1;
}

function flagsOf(e, words) {
	const [perm, ...rest] = words.split(" ");
	e.append(el("span", "perm", perm));
	for (const w of rest) {
		if (w === "WB")
			continue;
		const short = { "host-writable": "HW", "MMU-writable": "MW" }[w] || w;
		e.append(el("span", "flag" + (w === "A" ? " a" : w === "D" ? " d" : ""), short));
	}
}

function entryRow(node, run, touched, i) {
	const { v } = run, e = el("div", "entry " + v.sort);
	const size = 512 ** (node.level - 1), gfn = node.gfn + run.from * size;
	const t = touched.get(run.from);
	e.append(el("span", "gfn", run.to > run.from ? `${hex(gfn)}\u2013${(node.gfn + (run.to + 1) * size - 1).toString(16)}` : hex(gfn)));
	if (v.sort === "page" || v.sort === "table") {
		if (v.sort === "page")
			e.append(el("span", "to", "\u2192 " + hex(v.pfn)));
		flagsOf(e, v.words);
	} else if (v.sort === "frozen") {
		const who = whoFroze(node.pa + 8 * run.from, i);
		e.append(el("span", "", run.to > run.from ? `frozen (${run.to - run.from + 1})` :
			     who >= 0 ? `frozen by t${who}` : "frozen"));
	} else {
		e.append(el("span", "", v.words));
	}
	e.title = `${LEVELS[node.level]} SPTE ${v.raw.toString(16).padStart(16, "0")}: ${inWords(v)}`;
	if (t) {
		if (t.changed)
			e.classList.add("changed");
		if (t.read)
			e.classList.add("read");
		for (const thread of t.pins)
			e.append(colour(el("span", "pin", "t" + thread), thread));
	}
	return e;
}

function emptyRow(node, index, t) {
	const e = el("div", "entry none");
	e.append(el("span", "gfn", hex(node.gfn + index * 512 ** (node.level - 1))), el("span", "to", "none"));
	if (t.changed)
		e.classList.add("changed");
	if (t.read)
		e.classList.add("read");
	for (const thread of t.pins)
		e.append(colour(el("span", "pin", "t" + thread), thread));
	return e;
}

function makeCard(node, touched, i, cls, note) {
	const card = el("div", "card " + cls), mine = touched.get(node.pa) || new Map();
	const all = runsOf(node.t, node.level, mine);
	for (const [index] of mine)
		if (!node.t.entries.has(index))
			all.push({ from: index, to: index, v: null });
	all.sort((a, b) => a.from - b.from);
	const { runs, left } = cut(all, mine);
	const title = el("div", "title", node.root ? "root" : `${LEVELS[node.level]} table`);
	title.append(el("span", note ? "warn" : "", note || "pfn " + (node.pa / 4096).toString(16)));
	title.title = "page table at " + hex(node.pa);
	card.append(title);
	node.rowOf = new Map();
	runs.forEach((run, n) => {
		node.rowOf.set(run.from, n);
		card.append(run.v ? entryRow(node, run, mine, i) : emptyRow(node, run.from, mine.get(run.from)));
	});
	if (left)
		card.append(el("div", "entry more", `and ${left} more`));
	if (!runs.length)
		card.append(el("div", "entry more", "empty"));
	if ([...mine.values()].some(t => t.changed))
		card.classList.add("hot");
	node.hot = card.classList.contains("hot") || [...mine.values()].some(t => t.read);
	node.card = card;
	node.height = 22 + 18 * Math.max(1, runs.length + (left ? 1 : 0));
	node.width = node.level === 1 || [...node.t.entries.values()].some(v => v.sort === "page") ?
		WIDTHS.leaf : WIDTHS.inner;
	card.style.width = node.width + "px";
	return card;
}

function place(node, y) {
	node.x = levelX(node.level);
	node.y = y;
	node.card.style.left = node.x + "px";
	node.card.style.top = y + "px";
	let below = y;
	for (const child of node.children)
		below = place(child, below);
	return Math.max(y + node.height + GAP_Y, below);
}

function connect(svg, node) {
	for (const child of node.children) {
		const index = [...node.t.entries].find(([, v]) => v.sort === "table" && v.pfn === BigInt(child.pa / 4096))[0];
		const row = node.rowOf.get(index) ?? 0;
		const x1 = node.x + node.width, y1 = node.y + 29 + 18 * row, x2 = child.x, y2 = child.y + 10;
		const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
		path.setAttribute("d", `M${x1},${y1} C${x1 + 18},${y1} ${x2 - 18},${y2} ${x2},${y2}`);
		if (child.hot)
			path.setAttribute("class", "hot");
		svg.append(path);
		connect(svg, child);
	}
}

function rootNote(root) {
	const notes = [];
	if (!root[1])
		notes.push("invalid");
	if (root[2])
		notes.push("SMM");
	if (root[3])
		notes.push("guest mode");
	return notes.join(", ");
}

/* Tables that no root leads to any more. Those that nobody filled yet are spares of the caches. */
function loose(s, reached) {
	const removed = [], fresh = [];
	let spare = 0;
	for (const [pa, node] of reached)
		if (!node.parent && !s.roots.some(r => r[0] === pa))
			removed.push(node);
	for (const [pa, t] of s.tables) {
		if (reached.has(pa))
			continue;
		if (t.entries.size)
			fresh.push({ pa, t, level: 1, gfn: 0, children: [] });
		else
			spare++;
	}
	removed.sort((a, b) => b.level - a.level || a.gfn - b.gfn);
	return { removed, fresh, spare };
}

function drawTree(s, step, i) {
	const box = $("tree"), touched = touchedBy(step, s, i), reached = link(s);
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const parts = [svg];
	let y = 14;

	const add = (node, cls, note) => {
		parts.push(makeCard(node, touched, i, cls, note));
		node.children.forEach(child => add(child, cls, ""));
	};
	const group = text => {
		const g = el("div", "group", text);
		g.style.top = y + "px";
		parts.push(g);
		y += 22;
	};
	for (const root of s.roots) {
		const node = reached.get(root[0]);
		if (!node)
			continue;
		node.root = true;
		add(node, root[1] ? "" : "gone", rootNote(root));
		y = place(node, y);
	}
	const { removed, fresh, spare } = loose(s, reached);
	if (removed.length) {
		group("removed, not freed yet: walkers may still be in there");
		for (const node of removed) {
			add(node, "gone", "removed");
			y = place(node, y);
		}
	}
	if (fresh.length) {
		group("being filled, not linked yet");
		for (const node of fresh) {
			add(node, "fresh", "");
			y = place(node, y);
		}
	}
	if (spare)
		group(`${spare} spare page${spare > 1 ? "s" : ""} in caches`);
	if (!s.tables.size)
		group("no page tables");
	const nodes = [...reached.values(), ...fresh];
	nodes.filter(n => !n.parent && n.card).forEach(n => connect(svg, n));
	svg.setAttribute("width", levelX(0) + 120);
	svg.setAttribute("height", y + 20);
	const { scrollTop, scrollLeft } = box;
	box.replaceChildren(...parts);
	box.scrollTop = scrollTop;
	box.scrollLeft = scrollLeft;
	const hot = nodes.find(n => n.hot && n.card);
	if (hot)
		bringIntoView(box, hot);
}

function bringIntoView(box, node) {
	if (node.y < box.scrollTop || node.y + node.height > box.scrollTop + box.clientHeight)
		box.scrollTop = Math.max(0, node.y - 20);
	if (node.x < box.scrollLeft || node.x + node.width > box.scrollLeft + box.clientWidth)
		box.scrollLeft = Math.max(0, node.x + node.width - box.clientWidth + 14);
}

/* ---- vCPUs, locks ---- */

/* A cached translation is stale if its SPTE does not say the same any more, A and D aside. */
function staleness(s, leaf, was) {
	const t = s.tables.get(page(leaf));
	if (!t)
		return "its table is freed";
	const v = t.entries.get(slot(leaf));
	if (!v)
		return "the SPTE is none now";
	if (v.sort === "page" && was.sort === "page" && v.pfn === was.pfn &&
	    v.words.slice(0, 3) === was.words.slice(0, 3))
		return "";
	return "the SPTE is now " + (v.sort === "page" ? v.words.slice(0, 3) : v.sort);
}

function vcpuCard(n, v, s, before) {
	const thread = D.threads.findIndex(t => t.vcpu === n);
	const card = colour(el("div", "vcpu"), thread), title = el("div", "title", `vCPU ${n}`);
	title.append(el("span", v.mid ? "mid" : "", v.mid ? "within an instruction" : v.in ? "in the guest" : "outside the guest"));
	if (v.root)
		title.append(el("span", "", "root " + hex(v.root)));
	card.append(title);
	if (v.tlb.length) {
		const table = el("table");
		const head = el("tr");
		["gfn", "size", "pfn", "may", ""].forEach(h => head.append(el("th", "", h)));
		table.append(head);
		const old = new Set((before ? before.tlb : []).map(e => JSON.stringify(e)));
		for (const e of v.tlb) {
			const [gfn, level, pfn, perm, dirty, leaf, val] = e;
			const stale = staleness(s, leaf, values[val]);
			const row = el("tr", stale ? "stale" : old.has(JSON.stringify(e)) ? "" : "new");
			[hex(gfn), LEVELS[level], "0x" + pfn, perm + (dirty ? " D" : ""), stale ? "stale: " + stale : ""]
				.forEach(c => row.append(el("td", "", c)));
			table.append(row);
		}
		card.append(table);
	} else {
		card.append(el("div", "none", "TLB is empty"));
	}
	if (v.psc.length)
		card.append(el("div", "psc", "walks from: " + v.psc.map(([gfn, level]) => `${LEVELS[level]} entry of ${hex(gfn)}`).join(", ")));
	return card;
}

function threadCard(s) {
	const card = el("div", "vcpu"), title = el("div", "title", "Locks, RCU");
	card.style.setProperty("--c", "var(--faint)");
	card.append(title);
	const table = el("table");
	const line = (what, threads, how) => {
		const row = el("tr"), who = el("td");
		for (const t of threads)
			who.append(t >= 0 ? colour(el("span", "tag", "t" + t), t) : "start or end", " ");
		row.append(el("td", "", what), el("td", "", how), who);
		table.append(row);
	};
	for (const [name, held] of s.locks)
		if (held.length)
			line(name.replace(/^&(kvm->)?(arch\.)?/, ""), held.map(h => h.thread), held[0].mode);
	const readers = Object.keys(s.rcu).filter(t => s.rcu[t] > 0).map(Number);
	if (readers.length)
		line("RCU", readers, "reading");
	for (const [t, what] of Object.entries(s.wait))
		line(what, [Number(t)], "waits");
	card.append(table.children.length ? table : el("div", "none", "nothing is held"));
	return card;
}

function drawState(s, before) {
	const cards = Object.keys(s.vcpus).map(n => vcpuCard(Number(n), s.vcpus[n], s, before.vcpus[n]));
	$("state").replaceChildren(threadCard(s), ...cards);
}

/* ---- the step in full ---- */

function wordDiff(box, was, is) {
	const a = was.split(" "), b = is.split(" ");
	const old = el("div"), val = el("div");
	a.forEach((w, i) => old.append(i ? " " : "", b.includes(w) ? w : el("del", "", w)));
	b.forEach((w, i) => val.append(i ? " " : "", a.includes(w) ? w : el("ins", "", w)));
	return [old, val];
}

function drawDetail(step) {
	const box = $("detail"), lines = [];
	const head = el("div", step.k === "bad" ? "bad" : "");
	if (step.k !== "switch" && step.t >= 0)
		head.append(colour(el("span", "tag", `t${step.t}`), step.t), " ");
	head.append(step.c ? step.c.what : labels.get(now) || step.x);
	const where = [];
	if (step.a)
		where.push(step.a);
	if (step.s !== undefined)
		where.push(D.sites[step.s]);
	if (where.length)
		head.append(el("span", "where", "  \u00b7  " + where.join("  \u00b7  ")));
	lines.push(head);
	if (step.c) {
		const was = values[step.c.old], is = values[step.c.val];
		const [old, val] = wordDiff(box, inWords(was), inWords(is));
		old.prepend(el("span", "was", "   " + was.raw.toString(16).padStart(16, "0") + "  "));
		val.prepend("\u2192 ", el("span", "was", " " + is.raw.toString(16).padStart(16, "0") + "  "));
		old.style.whiteSpace = "pre-wrap";
		if (!step.c.ok)
			val.append(el("span", "bad", " lost: the entry had changed"));
		lines.push(old, val);
	}
	box.replaceChildren(...lines);
}

/* ---- the scrubber's line: whose steps, thread changes, violations ---- */

function drawLine() {
	const canvas = $("line"), ratio = window.devicePixelRatio || 1;
	const w = canvas.clientWidth, h = canvas.clientHeight, style = getComputedStyle(document.body);
	canvas.width = w * ratio;
	canvas.height = h * ratio;
	const c = canvas.getContext("2d");
	c.scale(ratio, ratio);
	/* Where the scrubber's thumb, 5 pixels wide, is at each step. */
	const width = (w - 5) / Math.max(1, shown.length - 1), lanes = Math.max(1, D.threads.length);
	const left = p => 2.5 + (p - .5) * width;
	shown.forEach((i, p) => {
		const s = D.steps[i];
		if (s.k === "switch")
			return;
		c.fillStyle = style.getPropertyValue(s.t >= 0 ? `--t${s.t % 8}` : "--faint");
		c.globalAlpha = s.k === "op" ? 1 : .65;
		c.fillRect(left(p), s.t >= 0 ? s.t * h / lanes : 0, Math.max(1, width), s.t >= 0 ? h / lanes - 1 : h);
	});
	c.globalAlpha = 1;
	c.fillStyle = style.getPropertyValue("--bad");
	shown.forEach((i, p) => {
		if (D.steps[i].k === "bad")
			c.fillRect(left(p) + width / 2 - 2, 0, 4, h);
	});
}

/* ---- going from step to step ---- */

function go(placeWanted) {
	const p = Math.max(0, Math.min(shown.length - 1, placeWanted));
	now = shown[p];
	const step = D.steps[now];
	const through = ends.get(now) ?? now;
	const s = stateAt(through), before = now ? stateAt(now - 1) : emptyState();
	document.body.dataset.step = p;
	document.body.dataset.kind = step.k;
	$("scrub").value = p;
	$("count").textContent = `step ${p + 1} of ${shown.length}`;
	$("back").disabled = $("first").disabled = p === 0;
	$("forward").disabled = $("last").disabled = p === shown.length - 1;
	showRow(p);
	drawRows();
	drawDetail(step);
	drawTree(s, step, through);
	drawState(s, before);
	drawProgram(s);
}

const here = () => placeOf(now);

function jump(kind, by) {
	for (let p = here() + by; p >= 0 && p < shown.length; p += by)
		if (D.steps[shown[p]].k === kind) {
			go(p);
			return true;
		}
	return false;
}

function nextBad() {
	if (!jump("bad", 1)) {
		const first = shown.findIndex(i => D.steps[i].k === "bad");
		if (first >= 0)
			go(first);
	}
}

let playing = 0;

function play(on) {
	clearInterval(playing);
	playing = on ? setInterval(() => {
		if (here() >= shown.length - 1)
			play(false);
		else
			go(here() + 1);
	}, 350) : 0;
	$("play").textContent = playing ? "\u25A0 stop" : "\u25B6\uFE0E play";
}

function onKey(e) {
	if (e.ctrlKey || e.metaKey || e.altKey)
		return;
	const keys = {
		ArrowRight: () => go(here() + 1), ArrowLeft: () => go(here() - 1),
		ArrowDown: () => go(here() + 1), ArrowUp: () => go(here() - 1),
		j: () => go(here() + 1), k: () => go(here() - 1),
		PageDown: () => go(here() + 20), PageUp: () => go(here() - 20),
		Home: () => go(0), End: () => go(shown.length - 1),
		s: () => jump("switch", 1), S: () => jump("switch", -1),
		v: nextBad, p: () => { $("program").hidden = !$("program").hidden; },
		" ": () => play(!playing),
	};
	const key = keys[e.key];
	if (!key || (e.key === " " && e.target.tagName === "BUTTON"))
		return;
	e.preventDefault();
	if (e.key !== " ")
		play(false);
	key();
}

/* ---- the program, and where in it each thread is ---- */

function drawProgram(s) {
	const pre = $("program").firstElementChild;
	if (!pre.children.length)
		D.program.forEach(line => pre.append(el("i", "", line)));
	for (const line of pre.children)
		line.className = "";
	for (const [t, op] of Object.entries(s.ops)) {
		const line = pre.children[(D.threads[t].lines[op] || 0) - 1];
		if (line)
			colour(line, Number(t)).className = "at";
	}
}

function drawHeader() {
	$("file").textContent = D.file.split("/").pop();
	$("file").title = D.file;
	document.title = $("file").textContent + " \u2013 tdp run";
	D.vm.split(" ").forEach(w => $("vm").append(el("span", "chip", w)));
	if (D.too_long)
		$("vm").append(el("span", "chip", "the run goes on: too long for a page"));
	else if (D.left_out)
		$("vm").append(el("span", "chip", `${D.left_out} points left out`));
	const b = el("button", "", "program");
	b.style.cssText = "background:none;color:inherit;border-color:var(--line);font-weight:400";
	b.title = "show the program (p)";
	b.onclick = () => { $("program").hidden = !$("program").hidden; };
	$("verdict").append(b);
	if (!D.violations.length) {
		$("verdict").append(el("span", "ok", "no rule is broken"));
		$("next-bad").disabled = true;
	}
	/* One button for each rule; it goes to the first place where that was broken. */
	const bad = D.steps.map((step, i) => step.k === "bad" ? i : -1).filter(i => i >= 0);
	const byRule = new Map();
	D.violations.forEach((v, n) => {
		if (!byRule.has(v.rule))
			byRule.set(v.rule, { ...v, first: bad[Math.min(n, bad.length - 1)], texts: [] });
		byRule.get(v.rule).texts.push(v.text);
	});
	for (const v of byRule.values()) {
		const times = v.texts.length > 1 ? ` (${v.texts.length} times)` : "";
		const button = el("button", "", `rule ${v.rule}: ${v.meaning}${times}`);
		button.title = v.texts.join("\n");
		button.onclick = () => go(placeOf(v.first));
		$("verdict").append(button);
	}
}

function start() {
	buildKeyframes();
	drawHeader();
	layLanes();
	choose(1);
	$("filter").onclick = e => {
		if (e.target.dataset.detail) {
			choose(Number(e.target.dataset.detail));
			go(here());
		}
	};
	$("rows").onclick = e => {
		const row = e.target.closest(".row");
		if (row)
			go(placeOf(Number(row.dataset.i)));
	};
	$("steps").onscroll = () => drawRows(false);
	$("scrub").oninput = e => { play(false); go(Number(e.target.value)); };
	$("first").onclick = () => go(0);
	$("last").onclick = () => go(shown.length - 1);
	$("back").onclick = () => go(here() - 1);
	$("forward").onclick = () => go(here() + 1);
	$("play").onclick = () => play(!playing);
	$("next-switch").onclick = () => jump("switch", 1);
	$("next-bad").onclick = nextBad;
	document.addEventListener("keydown", onKey);
	window.onresize = () => { layLanes(); drawLine(); go(here()); };
	matchMedia("(prefers-color-scheme: dark)").onchange = drawLine;
	$("divider").onpointerdown = e => {
		e.target.setPointerCapture(e.pointerId);
		e.target.onpointermove = m => { $("left").style.width = m.clientX + "px"; window.onresize(); };
		e.target.onpointerup = () => { e.target.onpointermove = null; };
	};
	const bad = shown.findIndex(i => D.steps[i].k === "bad");
	go(bad >= 0 ? bad : shown.findIndex(i => D.steps[i].k === "op"));
	document.body.dataset.ready = "1";
}

start();
