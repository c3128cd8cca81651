// The demo shop: puts the parts together and names the routes.

import "./tracking.js";
import { onAccount } from "./account.js";
import { createBanner } from "./banner.js";
import { createFooter, createHeader } from "./frame.js";
import { createInsight } from "./insight.js";
import { accountPage } from "./pages/account.js";
import { cartPage } from "./pages/cart.js";
import { checkoutPage } from "./pages/checkout.js";
import { homePage } from "./pages/home.js";
import { missingPage } from "./pages/missing.js";
import { productPage } from "./pages/product.js";
import { thanksPage } from "./pages/thanks.js";
import { findProduct } from "./products.js";
import { startRouter } from "./router.js";

const part = (id) => document.getElementById(id);

createHeader(part("top"));
createFooter(part("foot"), createBanner(part("consent")));
createInsight(part("insight"));
const router = startRouter(part("main"), resolve);
onAccount(() => location.pathname === "/demo/account" && router.refresh());

function resolve(path) {
  const [, , section = "", name = null, ...rest] = path.replace(/\/+$/, "").split("/");
  if (rest.length > 0 || (name !== null && section !== "products")) return missingPage();
  switch (section) {
    case "": return homePage();
    case "products": {
      const product = findProduct(name);
      return product ? productPage(product) : missingPage();
    }
    case "cart": return cartPage();
    case "checkout": return checkoutPage({ go: (next) => router.go(next) });
    case "thanks": return thanksPage();
    case "account": return accountPage();
    default: return missingPage();
  }
}
