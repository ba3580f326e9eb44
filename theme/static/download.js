// A notebook's copy is saved under its own name. From disk, where a browser shows such a file instead of saving it,
// its text comes in a script beside it.

function saveNotebook(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

document.querySelectorAll('a[href*="notebooks/"][href$=".ipynb"]').forEach((link) => {
  if (link.origin !== location.origin) return; // Colab
  link.download = "";
  link.removeAttribute("target");
  if (location.protocol !== "file:") return;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    document.head.append(Object.assign(document.createElement("script"), { src: `${link.href}.js` }));
  });
});
