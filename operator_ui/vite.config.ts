import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // Their licences (MIT, BSD-3-Clause) want their notices beside what is built: /licenses.md.
  build: { target: "es2022", sourcemap: true, license: { fileName: "licenses.md" } },
  // HAECHI_CENTER names the center that the development server shows, such as a demo on another port.
  server: { proxy: { "/api": loadEnv(mode, ".", "HAECHI_")["HAECHI_CENTER"] ?? "http://127.0.0.1:8080" } },
}));
