// Builds static/dist: one stylesheet, one script, the fonts, the icon sprite, and manifest.json (plain name -> hashed name).
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { PurgeCSS } from "purgecss";

const ROOT = dirname(fileURLToPath(import.meta.url));
const DIST = join(ROOT, "static", "dist");
const FRESH = join(ROOT, "node_modules", ".dist-under-way");

// Only these classes of Tabler reach the browser; everything else it has is left at home.
const TABLER_KEPT = (await readFile(join(ROOT, "static/tabler-kept.txt"), "utf8")).split(/\s+/).filter(Boolean);

const keepFewTablerClasses = {
  name: "keep-few-tabler-classes",
  setup(build) {
    build.onLoad({ filter: /tabler\.css$/ }, async ({ path }) => {
      const [{ css }] = await new PurgeCSS().purge({
        content: [{ raw: TABLER_KEPT.join(" "), extension: "html" }],
        css: [{ raw: await readFile(path, "utf8") }],
        variables: true,
        keyframes: true,
        fontFace: true,
        safelist: { standard: [":root", "html", "body"] },
      });
      return { contents: css.replace(/\/\*# sourceMappingURL=.*?\*\//g, ""), loader: "css" };
    });
  },
};

async function sprite() {
  const names = JSON.parse(await readFile(join(ROOT, "static/icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(ROOT, "node_modules/@tabler/icons/icons/outline", `${name}.svg`), "utf8");
      const shapes = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "").trim();
      return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
    }),
  );
  const text = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
  const file = `icons.${createHash("sha256").update(text).digest("hex").slice(0, 8).toUpperCase()}.svg`;
  await writeFile(join(FRESH, file), text);
  return ["icons.svg", file];
}

await rm(FRESH, { recursive: true, force: true });
await mkdir(FRESH, { recursive: true });
const built = await esbuild.build({
  absWorkingDir: ROOT,
  entryPoints: ["static/css/app.css", "static/js/app.js"],
  outdir: FRESH,
  outbase: "static",
  entryNames: "[name].[hash]",
  assetNames: "[name].[hash]",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome123", "firefox120", "safari17.5"],
  loader: { ".woff2": "file" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  plugins: [keepFewTablerClasses],
});

const manifest = Object.fromEntries([await sprite()]);
for (const [path, output] of Object.entries(built.metafile.outputs)) {
  if (output.entryPoint) manifest[basename(output.entryPoint)] = relative(FRESH, join(ROOT, path));
}
await writeFile(join(FRESH, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await rm(DIST, { recursive: true, force: true });
await rename(FRESH, DIST);
