export { hydrate, mount, unmount } from "svelte";
