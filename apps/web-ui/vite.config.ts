/** Builds the UI into `dist/`, which the api-server serves. In development the server's paths are passed on to it. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const API_SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  server: {
    host: "127.0.0.1",
    proxy: { "/api": API_SERVER, "/ui": API_SERVER, "/auth": API_SERVER, "/execution": API_SERVER },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    chunkSizeWarningLimit: 900,
    // Browsers that know light-dark() themselves: its replacement for older ones does not see the scheme that is set.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
});
