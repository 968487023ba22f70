#include "transport/admin/live_page.h"

namespace mallard::transport {
namespace {

constexpr std::string_view page = R"PAGE(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mallard</title>
<style>
:root { color-scheme: light dark; --text: #1c2430; --soft: #5b6675; --line: #d9dee5; --back: #f6f7f9;
  --card: #ffffff; --good: #1a7f37; --bad: #b42318; --changed: #fff3c4; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ee; --soft: #98a2b1; --line: #2c3542;
  --back: #12161c; --card: #1a2029; --good: #56d364; --bad: #ff7b72; --changed: #4a3f17; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; margin-bottom: 1rem; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; text-transform: capitalize; }
h3 { font-size: .9rem; margin: .8rem 0 .3rem; color: var(--soft); text-transform: capitalize; }
#freshness { color: var(--soft); }
#freshness.stale { color: var(--bad); font-weight: 600; }
nav a { color: inherit; margin-right: .6rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
  margin-bottom: 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td, tr:last-child > th { border-bottom: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
table.columns { width: auto; }
table.columns th { font-weight: 400; padding-right: 1.6rem; }
table.columns tr:first-child td { font-weight: 600; }
.yes { color: var(--good); }
.no { color: var(--bad); }
.changed { background: var(--changed); transition: background 1s; }
</style>
</head>
<body>
<header><h1>Mallard</h1><span id="freshness">waiting for the first answer</span>
<nav><a href="/status">status</a><a href="/metrics">metrics</a><a href="/livez">livez</a>
<a href="/readyz">readyz</a></nav></header>
<main></main>
<script>
"use strict";
const main = document.querySelector("main");
const freshness = document.querySelector("#freshness");
let before = new Map(), now = new Map(), answered = 0;

const words = (name) => name.replaceAll("_", " ");
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
function make(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function spanOf(seconds) {
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}
// The unit at the end of a name goes with the value.
const label = (name) => words(name.replace(/_(s|ms)$/, ""));
function textOf(name, value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === null || value === "") return "\u2013";
  if (typeof value === "number") {
    if (/(_s|^seconds)$/.test(name)) return spanOf(value);
    if (/_ms$/.test(name)) return `${Number(value.toPrecision(3))} ms`;
    return Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(4);
  }
  if (Array.isArray(value)) return value.map((part) => textOf(name, part)).join(", ");
  if (isObject(value)) {
    return Object.entries(value).map(([part, inner]) => `${label(part)} ${textOf(part, inner)}`).join(", ");
  }
  return String(value);
}
// A plain value; marked when it is not what it was a second ago, unless it only counts the seconds.
function plain(tag, path, name, value) {
  const made = make(tag, textOf(name, value));
  now.set(path, made.textContent);
  if (value === true) made.className = "yes";
  if (value === false) made.className = "no";
  const ticks = /_s$/.test(name);
  if (!ticks && before.has(path) && before.get(path) !== made.textContent) made.classList.add("changed");
  return made;
}
// One row for each; where they have much to tell, one column for each.
function tableOf(path, rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const cell = (i, name) => plain("td", `${path}/${i}/${name}`, name, name in rows[i] ? rows[i][name] : null);
  if (names.length <= 8 && !rows.some((row) => Object.values(row).some(isObject))) {
    const head = make("tr", ...names.map((name) => make("th", label(name))));
    const lines = rows.map((_, i) => make("tr", ...names.map((name) => cell(i, name))));
    return make("table", make("thead", head), make("tbody", ...lines));
  }
  const line = (name) => make("tr", make("th", label(name)), ...rows.map((_, i) => cell(i, name)));
  const made = make("table", make("tbody", ...names.map(line)));
  made.className = "columns";
  return made;
}
function show(path, value) {
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) return [tableOf(path, value)];
  if (!isObject(value)) return [plain("div", path, "", value)];
  const list = make("dl"), rest = [];
  for (const [name, part] of Object.entries(value)) {
    const nested = isObject(part) || (Array.isArray(part) && part.some(isObject));
    if (nested) rest.push(make("h3", words(name)), ...show(`${path}/${name}`, part));
    else list.append(make("dt", label(name)), plain("dd", `${path}/${name}`, name, part));
  }
  return list.childElementCount > 0 ? [list, ...rest] : rest;
}
function render(status) {
  now = new Map();
  const list = {}, sections = [];
  for (const [name, part] of Object.entries(status)) {
    const nested = isObject(part) || (Array.isArray(part) && part.some(isObject));
    if (nested) sections.push(make("section", make("h2", words(name)), ...show(`/${name}`, part)));
    else list[name] = part;
  }
  if (Object.keys(list).length > 0) sections.unshift(make("section", ...show("", list)));
  main.replaceChildren(...sections);
  if ("cluster" in status) document.title = `${status.cluster} ${status.id} \u00b7 Mallard`;
  before = now;
}
async function refresh() {
  try {
    const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (!answer.ok) throw new Error(`the process answers ${answer.status}`);
    render(await answer.json());
    answered = Date.now();
    freshness.className = "";
    freshness.textContent = `as of ${new Date(answered).toLocaleTimeString()}`;
  } catch (error) {
    freshness.className = "stale";
    const last = answered ? `, last seen ${Math.round((Date.now() - answered) / 1000)} s ago` : "";
    freshness.textContent = `no answer (${error.message})${last}`;
  }
  setTimeout(refresh, 1000);
}
refresh();
</script>
</body>
</html>
)PAGE";

}  // namespace

std::string_view live_page() { return page; }

}  // namespace mallard::transport
