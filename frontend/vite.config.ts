import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** KaTeX ships every font in three formats; every browser we build for reads the first one. */
function onlyWoff2(): Plugin {
  return {
    name: "only-woff2",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("katex") || !id.endsWith(".css")) return null;
      return code.replace(/,url\([^)]+\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "");
    },
  };
}

export default defineConfig({
  // Relative, so that the built files work under whatever STATIC_URL the site uses.
  base: "./",
  plugins: [onlyWoff2()],
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    // The first browsers with light-dark(): older targets would have it rewritten.
    target: ["chrome123", "firefox128", "safari17.5"],
    // A data: address would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // htmx has an eval in it that its configuration switches off (and the policy forbids).
      checks: { eval: false },
      input: { site: "src/site.ts", workbench: "src/workbench/main.ts" },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/test-setup.ts"],
  },
});
