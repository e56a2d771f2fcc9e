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

if (form) {
  form.addEventListener("input", showTotal);
  // Back brings the form as it was left, after the page has loaded.
  addEventListener("pageshow", showTotal);
}
