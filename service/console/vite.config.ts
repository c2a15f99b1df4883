// Bundles the console into dist/, to be served at /console by the service itself: no file comes from another host.
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/console/",
  plugins: [vue()],
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 900, reportCompressedSize: false },
  // `npm run dev`: pages are made anew as they are edited, the API answers from a `fenpai serve` beside it.
  server: { proxy: { "/v1": "http://127.0.0.1:8360", "/readyz": "http://127.0.0.1:8360", "/metrics": "http://127.0.0.1:8360" } },
});
