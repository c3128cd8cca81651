import { createRouter, createWebHistory } from "vue-router";
import About from "./About.vue";
import Home from "./Home.vue";
import NotFound from "./NotFound.vue";

// Page views are sent by themselves, at load and whenever the router changes the address.
export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: Home, meta: { title: "Home" } },
    { path: "/about", component: About, meta: { title: "About" } },
    { path: "/old", redirect: "/about" },
    { path: "/:rest(.*)", component: NotFound, meta: { title: "Not found" } },
  ],
});

router.afterEach(({ meta }) => {
  document.title = `${meta.title} - visitflow: Vue`;
});
