// Two pages and the smallest router there can be.

const titles = { "/": "Home", "/about": "About" };

export const showPage = () => {
  const title = titles[location.pathname] ?? "Not found";
  document.title = title;
  document.querySelector("h1").textContent = title;
};

addEventListener("popstate", showPage);

for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", (click) => {
    click.preventDefault();
    history.pushState({}, "", link.href);
    showPage();
  });
}
