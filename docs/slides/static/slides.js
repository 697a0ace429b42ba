// reveal.js calls a deck an application, in which the reading keys of who hears a page are dead.
window.addEventListener("load", () => {
  const plain = () => document.querySelector(".reveal").removeAttribute("role");
  Reveal.isReady() ? plain() : Reveal.on("ready", plain);
});

// On a telephone held upright a slide is as narrow as the telephone, so that its letters can be read: it grows downwards.
// What is printed keeps its pages.
window.addEventListener("load", () => {
  if (/print-pdf/.test(location.search)) return;
  const upright = matchMedia("(max-width: 600px) and (orientation: portrait)");
  const fit = () => Reveal.configure(upright.matches ? { width: 640, height: 1160 } : { width: 1280, height: 720 });
  const start = () => { fit(); upright.addEventListener("change", fit); };
  Reveal.isReady() ? start() : Reveal.on("ready", start);
});
