// Draws the charts of a token from the table beside them. A number is made of a text
// here only to place a point: what is read are the table's own texts.
"use strict";

(() => {
	let open = false; // the table is shown: kept when the charts are replaced
	let plots = [];
	let width = 0; // that they are drawn for
	const resized = new ResizeObserver(entries => {
		if (entries[0].contentRect.width !== width) draw();
	});

	// A custom property may hold a function of the theme: what an element has is its result.
	const colour = (root, name) => getComputedStyle(root.querySelector(".swatch." + name)).color;

	// points are the table's rows by day, from the first day to the last: null where there is none.
	function points(section, box) {
		const from = Number(box.dataset.from), to = Number(box.dataset.to);
		const days = Array.from({length: to - from + 1}, (_, i) => from + i);
		const rows = new Map(Array.from(section.querySelectorAll("tr[data-day]"), row => [Number(row.dataset.day), row]));
		return {days, rows: days.map(day => rows.get(day) ?? null)};
	}

	// A line needs two days that follow each other: while there are few, each is a dot as well.
	function series(box, name, few) {
		const stroke = colour(box, name);
		switch (name) {
		case "reward":
			return {stroke, fill: stroke, width: 0, points: {show: false}, paths: uPlot.paths.bars({size: [0.7, 16]})};
		case "opening":
			return {stroke, fill: stroke.replace("rgb(", "rgba(").replace(")", ", 0.12)"), width: 2, points: {show: false}, paths: uPlot.paths.stepped({align: 1})};
		}
		return {stroke, width: 2, dash: [6, 4], points: {show: few, size: 6, fill: stroke}, paths: uPlot.paths.linear()};
	}

	// read writes what the table says of the day under the pointer.
	function read(section, box, row) {
		const reading = box.querySelector(".reading");
		const heads = Array.from(section.querySelectorAll("thead th"), th => th.textContent);
		reading.textContent = row ? Array.from(row.cells, (cell, i) => i === 0 ? cell.textContent : heads[i] + " " + cell.textContent).join(" · ") : reading.dataset.hint;
	}

	function plot(section, box, place, data) {
		const names = place.dataset.plot.split(" ");
		const values = names.map(name => data.rows.map(row => row && Number(row.dataset[name])));
		const top = Math.max(...values.flat()) || 1, few = data.rows.filter(Boolean).length < 4;
		return new uPlot({
			width: place.clientWidth, height: place.clientHeight, padding: [2, 0, 2, 0],
			legend: {show: false},
			cursor: {y: false, points: {show: false}, drag: {x: false, y: false}, sync: {key: "earn"}},
			scales: {x: {time: false, range: () => [data.days[0] - 0.5, data.days.at(-1) + 0.5]}, y: {range: () => [0, top]}},
			axes: [{show: false}, {show: false}],
			series: [{}, ...names.map(name => series(box, name, few))],
			hooks: {setCursor: [u => read(section, box, u.cursor.idx == null ? null : data.rows[u.cursor.idx])]},
		}, [data.days, ...values], place);
	}

	function draw() {
		for (const old of plots) old.destroy();
		plots = [];
		const section = document.getElementById("charts"), box = section?.querySelector(".plots");
		if (!box) return;
		const data = points(section, box);
		width = box.clientWidth;
		for (const place of box.querySelectorAll(".plot")) plots.push(plot(section, box, place, data));
	}

	// begin takes up charts that are new on the page: the table, which is open where
	// nothing can be drawn, is as it was before they were replaced.
	function begin() {
		const table = document.querySelector("#charts .as-table");
		if (table && !table.dataset.ready) {
			table.dataset.ready = "";
			table.open = open;
			table.addEventListener("toggle", () => { open = table.open; });
			width = 0;
			resized.disconnect();
			resized.observe(document.querySelector("#charts .plots"));
		}
	}

	begin();
	document.body.addEventListener("htmx:after:swap", begin);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
	new MutationObserver(draw).observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme"]});
})();
