// Reload once the order has ended; without JavaScript the page refreshes itself.
const order = document.querySelector("[data-order]").dataset.order;
const token = new URLSearchParams(location.search).get("token");
const stream = new EventSource(`/orders/${order}/events?token=${encodeURIComponent(token)}`);
stream.addEventListener("status", (event) => {
  const { status } = JSON.parse(event.data);
  if (!["created", "awaiting_payment"].includes(status)) {
    stream.close();
    if (status !== "needs_review") location.reload();
  }
});
