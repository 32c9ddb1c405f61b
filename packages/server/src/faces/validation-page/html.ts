/** The pages as text. Everything that comes from outside is escaped; there is no script and nothing is loaded. */
import { createHash } from 'node:crypto';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for element content and quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}' +
  'strong{overflow-wrap:anywhere}' +
  'button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.3rem;background:#0b57d0;color:#fff;cursor:pointer}' +
  'button:focus-visible{outline:3px solid #1b1b1b;outline-offset:2px}' +
  '@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}button{background:#8ab4f8;color:#111}button:focus-visible{outline-color:#eee}}';

/** Only this style sheet may apply, and the form may go nowhere but here. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`;
}

/** Asks the recipient; the form posts to the address it came from. */
export function confirmPage(about: {
  readonly domainName: string;
  readonly accountName: string;
  readonly recipient: string;
}): string {
  const [domain, account, recipient] = [about.domainName, about.accountName, about.recipient].map(escapeHtml);
  return page(
    'Confirm control over a domain',
    `<p>The account <strong>${account}</strong> asked for certificates for <strong>${domain}</strong>. This mail went to <strong>${recipient}</strong>.</p>
<p>Confirm only if you are responsible for the domain and the account may have certificates for it. Otherwise close this page; nothing will happen.</p>
<form method="post"><button type="submit">Confirm for ${domain}</button></form>`,
  );
}

/** Thanks the recipient. */
export const confirmedPage = (domainName: string): string =>
  page(
    'Confirmed',
    `<p>Control over <strong>${escapeHtml(domainName)}</strong> is confirmed. You can close this page.</p>`,
  );

/** Says why nothing can be confirmed. */
export const refusedPage = (title: string, detail: string): string => page(title, `<p>${escapeHtml(detail)}</p>`);
