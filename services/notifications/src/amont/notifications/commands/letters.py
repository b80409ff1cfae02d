"""From a delivery and what is known now to a finished message: the only place where ids become names.

The words are in `mails`. What is given here and not used by a kind of mail is not printed (`mails.facts.NEEDS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from types import MappingProxyType
from urllib.parse import quote

from amont.common.events.values import Role, instant_text
from amont.notifications import mails
from amont.notifications.domain.delivery import Delivery, Kind, Matter, Sitting
from amont.notifications.domain.people import Known, Recipient

NOBODY_S_NAME: Mapping[str, str] = MappingProxyType({"fr": "à vous", "en": "there"})
"""After "Bonjour" and "Hello", when the HR system has sent no name."""
SOMEBODY: Mapping[str, Mapping[Role, str]] = MappingProxyType(
    {
        "fr": {Role.MENTOR: "votre mentor", Role.MENTEE: "votre mentoré(e)"},
        "en": {Role.MENTOR: "your mentor", Role.MENTEE: "your mentee"},
    },
)
"""Who the other one was, when their name is forgotten because they have left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What is the same on every message: who writes, where links lead, and the domain of Message-IDs."""

    sender: mails.Address
    public_url: str
    domain: str

    def message_id(self, delivery_id: str) -> str:
        """The Message-ID of a delivery's mail, always the same."""
        return f"<{delivery_id}@{self.domain}>"


def write_letter(delivery: Delivery, known: Known, letterhead: Letterhead) -> EmailMessage:
    """The message; the same facts give the same bytes.

    Raises BadAddress when the recipient's address cannot be written to, and ValueError when the facts make no message.
    """
    recipient = known.recipient
    if recipient is None or recipient.email is None or known.programme is None:
        raise ValueError(f"delivery {delivery.id} has nobody to write to, or no programme to write about")
    matter, language = delivery.matter, mails.spoken(known.language)
    links = _Links(letterhead.public_url, matter)
    facts = mails.Facts(
        given_name=recipient.given_name or recipient.family_name or NOBODY_S_NAME[language],
        programme=known.programme.name or known.programme.id,
        page_url=links.page,
        role=mails.Role(matter.role),
        zone=matter.sitting.zone if matter.sitting else recipient.zone or (known.subsidiary.zone if known.subsidiary else None) or "UTC",
        partner=_partner(known.partner, matter, language) if matter.partner else None,
        expires_at=matter.expires_at,
        accept_url=links.to(links.page, "accept"),
        decline_url=links.to(links.page, "decline"),
        withdraw_url=links.to(links.page, "withdraw"),
        mute_url=links.to(letterhead.public_url, "notifications", "preferences"),
        suspension=mails.SuspensionReason(matter.reason or "other") if delivery.kind is Kind.PAIR_SUSPENDED else None,
        ending=mails.EndReason(matter.reason or "other") if delivery.kind is Kind.PAIR_ENDED else None,
        slots=tuple(
            mails.Slot(starts_at=option.starts_at, ends_at=option.ends_at, choose_url=links.choice(instant_text(option.starts_at)))
            for option in (matter.sitting.options if matter.sitting else ())
        ),
        session=_session(matter.sitting) if matter.sitting else None,
    )
    return mails.compose(
        mails.MailKind(delivery.kind),
        to=mails.Address(recipient.email, recipient.name),
        language=language,
        facts=facts,
        message_id=letterhead.message_id(delivery.id),
        date=delivery.happened_at,
        sender=letterhead.sender,
    )


@dataclass(frozen=True, slots=True)
class _Links:
    """Addresses of the pages that belong to a matter, on whichever service serves them."""

    base: str
    matter: Matter

    @property
    def page(self) -> str:
        matter = self.matter
        if matter.sitting:
            return self.to(self.base, "scheduling", "sessions", matter.sitting.session)
        if matter.pair:
            return self.to(self.base, "matching", "pairs", matter.pair)
        if matter.enrolment:
            return self.to(self.base, "enrolment", "enrolments", matter.enrolment)
        return self.to(self.base, "enrolment", "programmes", matter.programme)

    def choice(self, starts_at: str) -> str:
        """Where the option that begins then is taken."""
        return f"{self.to(self.page, 'choose')}?starts_at={quote(starts_at, safe='')}"

    @staticmethod
    def to(base: str, *parts: str) -> str:
        return "/".join((base, *(quote(part, safe="") for part in parts)))


def _partner(partner: Recipient | None, matter: Matter, language: str) -> mails.Partner:
    """The other one as the reader may know them. An address that cannot be written to is left out of the invitation; the reader still gets theirs."""
    role = Role.MENTEE if matter.role is Role.MENTOR else Role.MENTOR
    if partner is None or not partner.name:
        return mails.Partner(name=SOMEBODY[language][role], topics=matter.topics)
    return mails.Partner(
        name=partner.name, email=_usable(partner.email), function=partner.job_title or partner.function, topics=matter.topics
    )


def _usable(email: str | None) -> str | None:
    try:
        return mails.Address(email).email if email else None
    except mails.BadAddress:
        return None


def _session(sitting: Sitting) -> mails.Session | None:
    if sitting.slot is None:
        return None
    return mails.Session(
        uid=sitting.session,
        sequence=sitting.sequence,
        number=sitting.number,
        starts_at=sitting.slot.starts_at,
        ends_at=sitting.slot.ends_at,
    )
