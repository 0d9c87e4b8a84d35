"""What can be wrong with a provider, by one short word each: for the test page, the sign-in page and the log."""

from __future__ import annotations

from app.kernel.errors import Unavailable
from app.web.translations import mark

SENTENCES = {
    "refused": mark("This address may not be called from here: only https on the public internet, on port 443."),
    "name": mark("The name of the provider is not known to the domain name system. Look for a mistyped address."),
    "unreachable": mark("The provider could not be reached. It may be down, or a firewall is in between."),
    "tls": mark("The provider's certificate is not valid for this name, or is signed by nobody that is trusted here."),
    "timeout": mark("The provider did not answer in time."),
    "broken": mark("The provider's answer broke off or was no HTTP answer."),
    "oversize": mark("The provider's answer is far larger than it should be."),
    "not_found": mark("There is no OpenID configuration under this issuer. Look for a missing or an extra path."),
    "status": mark("The provider answered with an error."),
    "not_json": mark("The provider's answer is no JSON object: this may be a page for people instead of the issuer."),
    "incomplete": mark("The provider's configuration lacks an address that sign-in needs, or names one without https."),
    "issuer": mark("The provider calls itself by another issuer. Copy the issuer exactly as the provider writes it."),
    "no_code": mark("The provider does not offer the authorization code flow, or not with PKCE by S256."),
    "keys": mark("The provider shows no key that its signatures could be checked with."),
    "client": mark("The provider does not accept the client: the client ID or its secret is wrong or has expired."),
    "secret": mark("No client secret is stored here, or it cannot be opened. Set it again."),
    "redirect": mark("The provider does not know this client with this redirect address. Register the address there."),
    "code": mark("The provider did not accept the code of this sign-in. Begin again."),
    "no_token": mark("The provider gave no ID token."),
    "algorithm": mark("The provider signs in a way that is not accepted here. Use RS256, PS256, ES256 or EdDSA."),
    "signature": mark("The signature of the provider's token does not hold."),
    "key_unknown": mark("The provider's token is signed with a key that the provider does not show."),
    "token": mark("The provider's token cannot be read."),
    "wrong_issuer": mark("The provider's token names another issuer."),
    "wrong_audience": mark("The provider's token was made for another client."),
    "wrong_nonce": mark("The provider's token belongs to another sign-in."),
    "expired": mark("The provider's token has expired. If this goes on, a clock is wrong."),
    "clock": mark("The provider's clock and this server's clock differ by more than a minute."),
    "access_token": mark("The provider's ID token and access token do not belong together."),
    "subject": mark("The provider did not say who signed in, or said two different things."),
    "level": mark("The provider did not confirm the level of authentication that is asked for."),
}


class ProviderTrouble(Unavailable):
    """A provider cannot be used as it is; `word` says why, by a word of `SENTENCES`."""

    retry_after = 30

    def __init__(self, word: str) -> None:
        super().__init__(SENTENCES[word])
        self.word = word
        self.extensions = {"reason": word}
