// Hydrogen, a Matrix client, whole: as its SDK puts it together, with all of its own screens.
import "hydrogen-view-sdk/theme-element-light.css";
import {
    FeatureSet, Platform, RootView, RootViewModel, createNavigation, createRouter,
} from "hydrogen-view-sdk";

const container = document.querySelector("#app");
const platform = new Platform({
    container,
    assetPaths: {
        downloadSandbox: "/download-sandbox.html",
        worker: "/main.js",
        olm: { wasm: "/olm.wasm", wasmBundle: "/olm.js", legacyBundle: "/olm_legacy.js" },
        serviceWorker: "/sw.js", // it puts the access token to requests for media
    },
    config: { defaultHomeServer: new URLSearchParams(location.search).get("homeserver") },
});
const navigation = createNavigation();
platform.setNavigation(navigation);
await platform.init();
const urlRouter = createRouter({ navigation, history: platform.history });
urlRouter.attach();
const features = await FeatureSet.load(platform.settingsStorage);
const model = new RootViewModel({ platform, navigation, urlRouter, features });
model.load();
container.appendChild(new RootView(model).mount());
