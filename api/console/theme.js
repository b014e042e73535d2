// Light or dark, before anything is painted: as the system has it, unless the switch said otherwise.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
