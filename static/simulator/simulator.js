// The tray of phones: draws what /api/live says, sends what is typed. No framework, no evaluation.
"use strict";

const texts = JSON.parse(document.getElementById("texts").textContent);
const tray = document.getElementById("tray");
const model = document.getElementById("handset");
const find = document.getElementById("find");
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const handsets = new Map(); // phone -> what the server said
const cards = new Map(); // phone -> element
const wanted = new URLSearchParams(location.search).get("phone")?.replace(/\D/g, "") ?? "";
let shown = 24;
if (wanted) find.value = wanted;

async function post(path, values) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values),
  }).catch((error) => ({ ok: false, json: async () => ({ error: error.message }) }));
  const body = await answer.json().catch(() => ({}));
  const problem = document.getElementById("problem");
  problem.hidden = answer.ok;
  if (!answer.ok) problem.textContent = `${texts.failed} ${body.field ?? ""} ${body.error ?? answer.status}`;
  return answer.ok ? body : null;
}

function newCard(phone) {
  const card = model.content.firstElementChild.cloneNode(true);
  card.id = `phone-${phone}`;
  card.querySelector(".thread").dataset.quiet = texts.quiet;
  const power = card.querySelector("[name=on]");
  const fate = card.querySelector("[name=fate]");
  const tell = () => post(`/api/handsets/${phone}/power`, { on: power.checked, fate: fate.value });
  power.addEventListener("change", tell);
  fate.addEventListener("change", tell);
  card.querySelector(".reply").addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = event.target.elements.text;
    const text = input.value;
    input.value = "";
    if (!(await post(`/api/handsets/${phone}/reply`, { text }))) input.value = text;
  });
  card.classList.toggle("wanted", phone === wanted);
  return card;
}

function note(text) {
  const words = [clock.format(new Date(text.at * 1000)), text.peer && (text.direction === "in" ? text.peer : `${texts.to} ${text.peer}`)];
  if (text.parts > 1) words.push((text.parts_here < text.parts ? texts.parts_missing : texts.parts).replace("{n}", text.parts).replace("{here}", text.parts_here));
  words.push(text.way);
  if (text.direction === "in") words.push(text.alphabet);
  words.push(texts[`state_${text.state}`]);
  return words.filter(Boolean).join(" · ");
}

function bubble(text) {
  const item = document.createElement("li");
  const body = document.createElement("p");
  const small = document.createElement("small");
  item.className = `text ${text.direction} ${text.state}`;
  body.textContent = text.text;
  small.textContent = note(text);
  item.append(body, small);
  return item;
}

function draw(handset) {
  let card = cards.get(handset.phone);
  const isNew = !card;
  if (isNew) cards.set(handset.phone, (card = newCard(handset.phone)));
  const thread = card.querySelector(".thread");
  const before = Number(thread.dataset.count ?? 0);
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
  card.querySelector("h2").textContent = handset.label;
  card.classList.toggle("off", !handset.on);
  const power = card.querySelector("[name=on]");
  power.checked = handset.on;
  power.nextElementSibling.textContent = handset.on ? texts.on : texts.off;
  if (document.activeElement?.closest("article") !== card || document.activeElement.name !== "fate") card.querySelector("[name=fate]").value = handset.fate;
  thread.replaceChildren(...handset.messages.map(bubble));
  const last = handset.messages.at(-1)?.number ?? 0;
  thread.dataset.count = last;
  thread.dataset.end = String(isNew || atEnd || last > before);
  card.classList.toggle("buzz", !isNew && last > before);
}

function arrange() {
  const asked = find.value.replace(/\D/g, "");
  const all = [...handsets.values()].sort((a, b) => b.changed_at - a.changed_at).filter((handset) => handset.phone.includes(asked));
  const visible = all.slice(0, shown);
  const empty = document.getElementById("empty");
  empty.hidden = visible.length > 0;
  empty.textContent = handsets.size ? texts.none_found : texts.empty;
  document.getElementById("more").hidden = all.length <= shown;
  visible.filter((handset) => handset.isStale !== false).forEach((handset) => { draw(handset); handset.isStale = false; });
  place(visible.map((handset) => cards.get(handset.phone)));
}

function place(wish) {
  // Nothing moves under a person's fingers: while someone types in a phone, the others keep their places too.
  const typing = document.activeElement?.closest?.(".phone");
  if (typing && wish.includes(typing)) {
    const here = [...tray.children].filter((card) => wish.includes(card));
    wish = [...here, ...wish.filter((card) => !here.includes(card))];
  }
  if (wish.length !== tray.children.length || wish.some((card, place) => tray.children[place] !== card)) {
    const scrolls = new Map([...tray.children].map((card) => [card, card.querySelector(".thread").scrollTop]));
    if (typing && wish.includes(typing)) {
      [...tray.children].filter((card) => !wish.includes(card)).forEach((card) => card.remove());
      wish.filter((card) => !card.isConnected).forEach((card) => tray.append(card));
    } else tray.replaceChildren(...wish);
    scrolls.forEach((top, card) => { if (card.isConnected) card.querySelector(".thread").scrollTop = top; });
  }
  wish.map((card) => card.querySelector(".thread")).filter((thread) => thread.dataset.end === "true").forEach((thread) => {
    thread.scrollTop = thread.scrollHeight;
    thread.dataset.end = "";
  });
}

function count(stats) {
  document.querySelectorAll("[data-stat]").forEach((place) => { place.textContent = stats[place.dataset.stat].toLocaleString(document.documentElement.lang); });
  for (const [name, value] of Object.entries(stats.carrier)) {
    const input = document.getElementById("carrier").elements[name];
    if (input === document.activeElement && input.type === "number") continue;
    if (input.type === "checkbox") input.checked = value; else input.value = value;
  }
}

function listen() {
  const source = new EventSource("/api/live");
  const link = document.getElementById("link");
  const say = (isLost) => { link.classList.toggle("lost", isLost); document.getElementById("link-text").textContent = isLost ? texts.lost_link : texts.live; };
  source.onopen = () => say(false);
  source.onerror = () => say(true);
  source.onmessage = (event) => {
    const { stats, phones, handsets: changed } = JSON.parse(event.data);
    const known = new Set(phones);
    for (const phone of handsets.keys()) if (!known.has(phone)) { handsets.delete(phone); cards.delete(phone); }
    changed.forEach((handset) => handsets.set(handset.phone, handset));
    count(stats);
    arrange();
  };
}

function showWays(cards) {
  document.getElementById("ways-list").replaceChildren(...cards.map((card) => {
    const item = document.getElementById("way").content.firstElementChild.cloneNode(true);
    item.querySelector("h2").textContent = card.way;
    const said = { ...card, address: card.address ?? location.origin + card.path };
    item.querySelectorAll("[data-way]").forEach((place) => { place.textContent = said[place.dataset.way]; });
    const form = item.querySelector("form");
    if (card.callback === undefined) form.remove();
    else {
      form.elements.callback.value = card.callback;
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const told = await post("/api/ways", { way: card.way, callback: form.elements.callback.value });
        if (told) showWays(told);
      });
    }
    return item;
  }));
}

document.getElementById("ways").addEventListener("toggle", async (event) => {
  if (event.target.open) showWays(await (await fetch("/api/ways")).json());
});
document.getElementById("carrier").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("carrier").addEventListener("change", (event) => {
  const { name, type, checked, value } = event.target;
  post("/api/carrier", { [name]: type === "checkbox" ? checked : Number(value) });
});
document.getElementById("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = event.target.elements.phone;
  const handset = await post(`/api/handsets/${encodeURIComponent(input.value)}/power`, { on: true });
  if (handset) { input.value = ""; find.value = ""; handsets.set(handset.phone, handset); arrange(); cards.get(handset.phone)?.querySelector("[name=text]").focus(); }
});
document.getElementById("reset").addEventListener("click", () => post("/api/reset", {}));
document.getElementById("more").addEventListener("click", () => { shown += 24; arrange(); });
find.addEventListener("input", arrange);
listen();
