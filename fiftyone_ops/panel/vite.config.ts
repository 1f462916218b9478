import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

// The App hands its own copies of these to plugins, as globals. Bundling a second React would
// break its hooks, and a second recoil would not know the App's state.
const GIVEN = {
  react: "React",
  "react-dom": "ReactDOM",
  recoil: "recoil",
  "@fiftyone/operators": "__foo__",
  "@fiftyone/plugins": "__fop__",
  "@fiftyone/spaces": "__fosp__",
  "@fiftyone/state": "__fos__",
};

/** Writes the hash of the sources on top of the script, so that a test can tell a stale one. */
function builtOf(folder: string): Plugin {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(`${folder}/${name}`));
  const line = `/* built of ${folder}/ ${hash.digest("hex")} */\n`;
  return {
    name: "built-of",
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) if (file.type === "chunk") file.code = line + file.code;
    },
  };
}

export default defineConfig({
  plugins: [builtOf("src")],
  // Not the automatic JSX runtime: the App gives away React alone, not react/jsx-runtime.
  esbuild: { jsx: "transform" },
  build: {
    // Where FiftyOne looks for a plugin's script unless told otherwise.
    outDir: "../dist",
    emptyOutDir: true,
    lib: {
      entry: "src/index.ts",
      name: "mmmsba",
      fileName: () => "index.umd.js",
      // The App loads it by a plain script tag and it must register itself at once. A real UMD
      // module would wait for a loader wherever another plugin has brought one.
      formats: ["iife"],
    },
    rollupOptions: { external: Object.keys(GIVEN), output: { globals: GIVEN } },
  },
});
