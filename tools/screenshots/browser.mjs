// A browser with Hydrogen in it. Does what the lines of its standard input say, one JSON object
// each, and answers each with a line: {} when it is done, {"error": "..."} when it cannot.
import { copyFile, mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { context as bundle } from "esbuild";
import { chromium } from "playwright-core";

const [chromiumPath, buildDirectory] = process.argv.slice(2);
const sdk = "node_modules/hydrogen-view-sdk";
const patience = 15_000; // milliseconds for whatever must appear

async function serveHydrogen() {
    await mkdir(buildDirectory, { recursive: true });
    for (const [from, to] of [
        ["index.html", "index.html"],
        [`${sdk}/lib-build/sw.js`, "sw.js"],
        [`${sdk}/asset-build/assets/main.js`, "main.js"],
        [`${sdk}/asset-build/assets/download-sandbox.html`, "download-sandbox.html"],
        ["node_modules/@matrix-org/olm/olm.js", "olm.js"],
        ["node_modules/@matrix-org/olm/olm_legacy.js", "olm_legacy.js"],
        ["node_modules/@matrix-org/olm/olm.wasm", "olm.wasm"],
    ]) await copyFile(from, `${buildDirectory}/${to}`);
    const made = await bundle({
        entryPoints: ["app.js"],
        bundle: true,
        format: "esm",
        outdir: buildDirectory,
        assetNames: "[name]",
        loader: { ".woff": "file", ".woff2": "file", ".svg": "file" },
        external: ["crypto", "fs", "path"], // of Node.js; olm asks for them only there
        logLevel: "error",
    });
    await made.rebuild();
    const { port } = await made.serve({ servedir: buildDirectory, host: "127.0.0.1" });
    return `http://127.0.0.1:${port}/`;
}

const address = await serveHydrogen();
const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ["--no-sandbox", "--hide-scrollbars", "--force-color-profile=srgb"],
});
let page;

// What moves or blinks would make each picture another one; the date stays where it belongs, and not
// on top of what is said below it.
const still = `*, *::before, *::after { animation: none !important; caret-color: transparent !important; }
    .DateHeader { position: static !important; }`;
const settled = () => [...document.images].every((image) => image.complete)
    && !document.querySelector(".GapView .spinner, .RoomList li.active .badge:not(.hidden):not(.highlighted)");

const deeds = {
    async login({ homeserver, user, password, width, height, scale }) {
        if (page) await page.context().close();
        const context = await browser.newContext({
            viewport: { width, height }, deviceScaleFactor: scale, locale: "en-GB",
        });
        context.setDefaultTimeout(patience);
        page = await context.newPage();
        page.on("pageerror", (error) => console.error(error));
        await page.goto(`${address}?homeserver=${encodeURIComponent(homeserver)}#/login`);
        await page.addStyleTag({ content: still });
        await page.locator("#username").fill(user);
        await page.locator("#password").fill(password);
        await page.getByRole("button", { name: "Log In" }).click();
        await page.locator(".SessionView").waitFor();
    },
    async open({ room }) {
        const session = await page.evaluate(() => location.hash.split("/")[2]);
        const hash = `#/session/${session}/room/${room}`;
        await page.evaluate((to) => { location.hash = to; }, hash);
        await page.locator("main.middle").waitFor();
    },
    async see({ text }) {
        await page.getByText(text).last().waitFor();
    },
    async press({ name }) {
        await page.getByRole("button", { name }).click();
    },
    async type({ text }) {
        await page.locator(".MessageComposer_input textarea").fill(text);
        await page.keyboard.press("Enter");
    },
    async send({ path }) {
        await page.getByRole("button", { name: "Send file" }).click();
        const choosing = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Send picture" }).click();
        await (await choosing).setFiles(path);
    },
    async shoot({ path, height }) {
        const size = page.viewportSize();
        await page.setViewportSize({ width: size.width, height: height ?? size.height });
        await page.mouse.move(0, 0);
        await page.evaluate(() => document.activeElement.blur());
        await page.waitForFunction(settled);
        await page.evaluate(() => document.fonts.ready);
        await page.screenshot({ path });
        await page.setViewportSize(size);
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const { deed, ...how } = JSON.parse(line);
    try {
        await deeds[deed](how);
        console.log("{}");
    } catch (error) {
        console.log(JSON.stringify({ error: `${deed} ${JSON.stringify(how)}: ${error.message}` }));
    }
}
await browser.close();
process.exit();
