import { createApp, ref } from "vue";
import { createVisitflow } from "visitflow/vue";
import App from "./App.vue";
import { router } from "./router.js";

// Your site remembers the visitor's decision; visitflow follows it.
const consent = ref(localStorage.getItem("consent") ?? "pending");
const onConsentChange = (decision) => {
  localStorage.setItem("consent", decision);
  consent.value = decision;
};

createApp(App).use(router).use(createVisitflow({ consent, onConsentChange })).mount("#app");
