import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** `npm run dev` hands what is not a source file to a daemon that runs already. */
const daemon = process.env["LATHE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  // The pages find their files beside themselves, whatever prefix a proxy puts before them.
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    // A data: address would need a hole in the daemon's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // Fewer, larger pieces: a browser has six connections to the daemon, and one of them is the stream of events.
    rollupOptions: { output: { experimentalMinChunkSize: 24_000 } },
  },
  server: {
    proxy: {
      "/api": {
        target: daemon,
        changeOrigin: true,
        // The daemon refuses what a browser sends for another site, which the development server is.
        configure: (proxy) =>
          proxy.on("proxyReq", (request) => {
            for (const name of ["origin", "referer", "sec-fetch-site"]) request.removeHeader(name);
          }),
      },
    },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
