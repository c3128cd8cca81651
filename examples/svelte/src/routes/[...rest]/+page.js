import { error } from "@sveltejs/kit";

// With this route SvelteKit shows the error page without loading the site again.
export const load = () => error(404, "Not found");
