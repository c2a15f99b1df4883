// The console begins here: Vue, Element Plus in Chinese, and one router.
import "element-plus/dist/index.css";
import "element-plus/theme-chalk/dark/css-vars.css";
import "./look/base.css";
import { createApp } from "vue";
import App from "./App.vue";
import { elements } from "./ui/elements";
import { router } from "./routes";

createApp(App).use(elements).use(router).mount("#app");
