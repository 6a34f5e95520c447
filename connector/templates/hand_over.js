const form = document.forms[0];
form.addEventListener("submit", () => { form.querySelector("button").disabled = true; });
form.requestSubmit();
