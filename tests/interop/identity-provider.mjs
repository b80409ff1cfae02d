// A certified OpenID provider that none of us wrote, for one test: whoever types a name at its development page is that person.
import { createRequire } from "node:module";

const Provider = (await import(createRequire(import.meta.url).resolve(process.env.PROVIDER))).default;
const port = Number(process.env.PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "amont-pages",
    client_secret: process.env.SECRET,
    redirect_uris: [process.env.REDIRECT],
    token_endpoint_auth_method: "client_secret_basic",
  }],
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  pkce: { required: () => true },
});
provider.listen(port, "127.0.0.1", () => console.log("listens"));
