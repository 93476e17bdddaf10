import type { Answer } from "../http/exchange.ts";
import { type Html, html } from "./html.ts";

/** Nothing but the page and its style sheet is loaded, whatever a repository's contents say. */
const POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A whole page. `user`: who signed in; undefined: nobody, and may. */
export function page(title: string, user: string | undefined, body: Html): Answer {
  const who = user === undefined ? html`<a href="/?sign-in">Sign in</a>` : user;
  const text = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><div><b><a href="/">Havre registry</a></b><span>${who}</span></div></header>
<main>${body}</main>
<footer>Served by <code>havre registry serve</code></footer>
</body>
</html>
`;
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "private, no-cache",
    },
    body: text.text,
  };
}
