// Follows the order: shows the page anew whenever it changed. Without JavaScript it reloads itself.

const AGAIN_MS = 3000;
const card = document.getElementById("order");
const lost = document.getElementById("lost");
const token = new URLSearchParams(location.search).get("token");
let stream = null;
let timer = null;

function listen() {
  stream = new EventSource(`/orders/${card.dataset.order}/events?token=${encodeURIComponent(token)}`);
  stream.addEventListener("open", () => tell(""));
  stream.addEventListener("status", (event) => {
    if (JSON.parse(event.data).status !== card.dataset.status) look();
  });
  stream.addEventListener("error", () => {
    tell(lost.dataset.text);
    // A server that answers with an error is not asked again by the browser itself.
    if (stream.readyState === EventSource.CLOSED) after(AGAIN_MS, listen);
  });
}

async function look() {
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) throw new Error(answer.status);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    tell("");
  } catch {
    tell(lost.dataset.text);
    after(AGAIN_MS, look);
  }
}

function show(page) {
  const now = page.getElementById("order");
  const focused = document.activeElement !== document.body && card.contains(document.activeElement);
  for (const id of ["news", "way"]) {
    // The elements stay and their content changes: so a screen reader says what is new.
    document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
  }
  card.className = now.className;
  for (const name of ["follow", "lookAgain"]) delete card.dataset[name];
  Object.assign(card.dataset, now.dataset);
  document.title = page.title;
  if (focused && !card.contains(document.activeElement)) card.querySelector("h1").focus();
  go();
}

function go() {
  if (!("follow" in card.dataset)) stream?.close();
  else if (stream === null) listen();
  if (card.dataset.lookAgain) after(card.dataset.lookAgain * 1000, look);
}

function after(milliseconds, what) {
  clearTimeout(timer);
  timer = setTimeout(what, milliseconds);
}

function tell(text) {
  if (lost.textContent !== text) lost.textContent = text;
}

go();
