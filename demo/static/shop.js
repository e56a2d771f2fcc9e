// Conveniences only: without this file the shop works the same.

const form = document.querySelector("form.order");

function showTotal() {
  const chosen = form.elements.sku.value && form.querySelector("[name=sku]:checked");
  const quantity = form.elements.quantity.valueAsNumber;
  const total = form.querySelector(".total");
  if (!chosen || !(quantity >= 1)) {
    total.value = "";
    return;
  }
  const { amount, currency } = chosen.dataset;
  const money = new Intl.NumberFormat("en-IN", { style: "currency", currency });
  const decimals = money.resolvedOptions().maximumFractionDigits;
  total.value = money.format((amount * quantity) / 10 ** decimals);
}

async function follow(shown) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page && page.querySelector("[data-status]");
  if (now && now.dataset.status !== shown.dataset.status) {
    shown.replaceWith(now);
    shown = now;
  }
  if ("waiting" in shown.dataset) setTimeout(follow, 2000, shown);
}

if (form) {
  form.addEventListener("input", showTotal);
  showTotal();
}
const waiting = document.querySelector("[data-waiting]");
if (waiting) setTimeout(follow, 2000, waiting);
