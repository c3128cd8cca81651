import { createRouter, createWebHistory } from "vue-router";
import About from "./About.vue";
import Home from "./Home.vue";

// Page views are sent by themselves, at load and whenever the router changes the address.
export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: Home, meta: { title: "Home" } },
    { path: "/about", component: About, meta: { title: "About" } },
  ],
});

router.afterEach(({ meta }) => {
  document.title = `${meta.title} - visitflow: Vue`;
});
