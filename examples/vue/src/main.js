import { createApp } from "vue";
import { createVisitflow } from "visitflow/vue";
import App from "./App.vue";
import { router } from "./router.js";

// visitflow remembers the visitor's decision in this browser.
const visitflow = createVisitflow({ options: { rememberConsent: true } });

createApp(App).use(router).use(visitflow).mount("#app");
