// A double click must not count as two attempts. A page that comes back from the browser's cache starts anew.
const button = document.getElementById("submit-login");
document.getElementById("login-form").addEventListener("submit", () => { button.disabled = true; });
window.addEventListener("pageshow", () => { button.disabled = false; });
