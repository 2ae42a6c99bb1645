"""The closed lists of words that the check of prose knows."""

from collections.abc import Mapping
from decimal import Decimal

from ledger.scope import Dimension


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIMENSION_NOUNS: Mapping[str, Dimension] = {
    "provider": "provider", "providers": "provider", "model": "model", "models": "model",
    "team": "team", "teams": "team", "project": "project", "projects": "project",
    "key": "key_id", "keys": "key_id", "user": "user", "users": "user",
    "feature": "feature", "features": "feature", "region": "region", "regions": "region",
    "tier": "service_tier", "tiers": "service_tier", "client": "client", "clients": "client",
}  # fmt: skip

NAMING_NOUNS = frozenset(DIMENSION_NOUNS) | _words("""
    account accounts agent agents app application applications apps branch branches cluster clusters
    companies company customer customers department departments developer developers employee employees
    endpoint endpoints engineer engineers group groups host hosts job jobs manager managers organisation
    organization origin origins owner owners pipeline pipelines script scripts service services template
    templates tenant tenants vendor vendors version versions workload workloads workspace workspaces
""")
"""What stands beside one of these is a name, unless it is an ordinary word."""

ACTING = _words("""
    bought burned burns called calls caused causes changed consumed consumes cost costs created did drives
    drove failed generated generates had has leaked made misused moved opened ordered paid pays ran
    retried retries runs sends sent shared sold spends spent started switched tested triggered used uses
    wanted
""")
"""What stands before one of these is who did it."""

ORDINARY = _words("""
    a abnormal about above abrupt accordingly accounted accounting accounts across actual added adding
    addition additional additionally affected after again against alike all alone along already also
    alternative alternatives although always among an and anomalous another any api appear appears
    approximately are area around as ask asked at average away back back-off balance barely baseline batch
    be became because become been before began behaved behaves behind being belonging belongs below beside
    besides between beyond biggest bill billed billing bloat block blocking both breakdown broad bursts
    busiest but by cache cached caching call called calls came can cannot carried carries carry carrying
    cause caused causes causing change changed changes changing cheap cheaper check class clear clearly
    client clients climbed close combined come comes coming common comparable compare compared comparison
    concentrated conclusion confidence consequently consider consistent continue continued continues
    contrast contribute contributed contributes contributing conversely cost costs could count counted
    course covers culprit culprits current data day days decline decrease decreased default demand design
    despite did different do does doing dominant done doubled driven driver drivers drives driving drop
    dropped drops drove due during each earlier effect effects either else end ended entire equal error
    errors even evenly every evidence exactly example except excess exists expectation expected expensive
    explain explained explains extra fact factor failed failing fails failure failures fall fallen falls
    far feature features fell few fewer finally finding first fits flat follow followed follows for former
    found from front full further gained gateway gave general gets given gives goes going gone gradual
    grew group grow growing growth had half halved hardly has have having heavier held hence here high
    higher highest historical history hitting hold holds hour hours how however id identifier identity ids
    if important in incident increase increased increases indeed individual input instance instead into
    investigate involved is isolated isolation it it's items its itself jump jumped just keep keeps kept
    key keys known labelled large larger largest last later latest latter lay lead leading leads leak
    leaked least led ledger less level lies lifted likeliest likely limit limited limiting list listed
    local long longer look looks loop lost low lower lowered lowest made main mainly major make makes many
    matches mean means measured might mix model models more moreover most move moved moves much must name
    named names narrow nature near nearly neither never new newest next no nobody none nor normal not
    notably note nothing notify now number numbers occurred of off oldest on once one only onto open or
    order ordinary origin origins other others otherwise our out output over overall own owner owners paid
    parallel part particular particularly parts paste pattern peak per perhaps picture place plan
    plausible point points possible possibly practice present previous previously price priced prices
    pricing primary principle prior probable probably problem produced production project projects prompt
    prompts provider providers pulled pushed put quiet quite raise raised ran range rate rates rather
    ratio reached reaching reason recorded reduced reflect reflecting reflects region regions regression
    related remain remained remaining remains report reported request requests requests-per-minute resend
    respective respectively responsible rest result results retained retains retried retries retry review
    revoke rise risen rises rising role rose rotated rotation roughly row rows run runaway running runs
    said same sat saw scale scan scope scratch see seem seems seen sees send sending sends sent separate
    set sets share shares shift shifted short should show showed shown shows shrank shrunk side signal
    signals similar similarly simply since single size slice slices small smaller smallest so soared some
    somebody something specifically spend spending spent spike spiked split spread spreads stable standard
    stands start started starting starts state stayed stays steady still stood stopped storm strong
    stronger such sudden suggests sum summary surge surged suspect suspected suspicious switch switched
    switches switching taken takes team teams than that that's the their them themselves then there
    therefore these they thing things this those though through throughout thus tier tiers timeout
    timeouts to together token tokenizer tokens too took top total touched toward towards traffic tripled
    turn type typical unchanged under underlying unit unless unlike unlikely unpriced until unusual up
    upon usage use used user users uses using usual usually value values verdict verify very via view
    visible volume was waterfall waves way we week weekly weeks well went were what when where whereas
    whether which while who whole whose why will window with within without work worked works would year
    yet
""")
"""Words that are never taken for a name; a name of the ledger among them counts only beside its noun."""

ADJECTIVES = _words("""
    active additional affected api billed busiest cached client comparable different distinct earlier
    expected extra failed failing fewer full further input less model more new ordinary other output past
    previous price prompt retried separate service total unpriced usual whole
""")
"""What may stand between a number and what it counts."""

COUNTED: Mapping[str, str] = {
    "request": "requests", "call": "requests", "token": "tokens", "key": "keys", "model": "models",
    "tier": "tiers", "client": "clients", "hour": "hours", "day": "days", "week": "weeks",
    "leaf": "leaves", "leave": "leaves", "slice": "slices", "change": "changes", "event": "events",
    "record": "records", "load": "loads", "origin": "origins", "value": "values",
    "switcher": "switchers", "spread": "spreads", "step": "steps", "team": "teams",
    "project": "projects", "user": "users", "feature": "features", "region": "regions",
    "provider": "providers", "window": "windows", "minute": "minutes", "month": "months",
    "year": "years", "second": "seconds", "head": "heads", "piece": "pieces", "character": "characters",
    "entry": "entries", "error": "errors", "retry": "retries", "failure": "failures",
    "incident": "incidents", "spike": "spikes", "alert": "alerts", "person": "people",
    "people": "people", "customer": "customers", "sigma": "spreads",
}  # fmt: skip
"""A thing that can be counted, and the part of a field's name that counts it."""

EXPECTATION = (
    "expect", "usual", "mean", "average", "normal", "ordinar", "before", "baseline", "typical", "earlier",
    "instead", "compared", "against", "from", "than", "previous", "prior", "past", "week",
)  # fmt: skip
MOVEMENT = (
    "change", "mov", "rise", "rose", "ris", "increas", "grew", "grow", "more", "less", "fell", "fall",
    "drop", "decreas", "declin", "excess", "extra", "additional", "above", "below", "delta", "difference",
    "spik", "surg", "jump", "climb", "add", "higher", "lower", "carr", "contribut", "up", "down", "shr",
    "explain", "account", "driv", "drove",
)  # fmt: skip
SAID: Mapping[str, tuple[str, ...]] = {
    "failed": ("fail", "error"), "retried": ("retr",), "retries": ("retr", "fail"), "cache": ("cach",),
    "unpriced": ("unpriced", "price"), "output": ("output", "answer", "completion", "response"),
    "input": ("input", "prompt"), "requests": ("request", "call", "traffic", "volume"),
    "request": ("request", "call"), "tokens": ("token",), "mtok": ("token", "price", "rate"),
    "price": ("price", "pricing", "billed", "rate"), "rate": ("price", "rate"), "tier": ("tier", "batch"),
    "origin": ("origin", "region", "client", "place"), "origins": ("origin", "region", "client", "place"),
    "keys": ("key",), "models": ("model",), "tokenizer": ("tokenizer", "token"), "spreads": ("spread",
    "deviation", "sigma"), "expected": EXPECTATION, "mean": EXPECTATION, "baseline": EXPECTATION,
    "before": EXPECTATION, "usual": EXPECTATION, "delta": MOVEMENT, "change": MOVEMENT, "rise": MOVEMENT,
    "peak": ("peak", "busiest", "highest"), "busiest": ("busiest", "peak"), "refused": ("refus", "limit"),
    "saving": ("sav",), "switchers": ("switch", "mov"), "age": ("old", "age", "ago", "known", "since"),
    "weeks": ("week",), "hours": ("hour",), "days": ("day",), "volume": ("volume", "request", "traffic",
    "growth", "work"), "entities": ("new", "gone", "key", "client"), "mix": ("mix", "mov", "switch", "shift",
    "tier", "model"), "length": ("length", "long", "short", "token", "prompt", "answer", "output", "input"),
    "trend": ("trend", "season", "expect"), "restated": ("restat",), "computed": ("comput",), "moved": ("mov",
    "switch", "shift"), "characters": ("character",), "active": ("active",), "record": ("record", "busiest"),
    "cost": ("cost", "spend", "spent", "bill", "expens", "dollar"), "new": ("new", "first", "never"),
    "carried": ("carr", "account", "explain"), "rising": ("ris", "broad"), "top": ("top", "largest",
    "biggest"), "covers": ("calendar", "plan"), "switched": ("switch", "mov"),
}  # fmt: skip
"""Parts of a field's name, and beginnings of words one of which the sentence with its number has."""

RISE = _words("""
    above add added adding additional adds climb climbed climbing climbs costlier doubled exceeded
    exceeding exceeds excess expensive extra gain gained grew grow growing grown grows growth higher
    increase increased increases increasing jump jumped jumping jumps lifted more over overshoot raised
    rise risen rises rising rose soar soared spike spiked spikes surge surged surges surging tripled up
    worsened
""") - {"over"}
FALL = _words("""
    below cheaper collapse collapsed cut cuts decline declined declines declining decrease decreased
    decreases decreasing dip dipped down drop dropped dropping drops eased fall fallen falling falls fell
    fewer halved less lost lower lowered plummeted plunged reduce reduced reduces reducing reduction sank
    save saved saves saving savings shrank shrink shrinks shrunk slid slumped sunk under undershoot
""") - {"under"}
MOVED_AFTER = _words("more less higher lower above below cheaper fewer extra additional up down")
"""Directions that stand behind their number."""
NEGATIONS = _words("not never no neither nor without cannot hardly barely didn't doesn't don't isn't wasn't")

DIGIT_WORDS: Mapping[str, int] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
SCALES: Mapping[str, Decimal] = {
    "thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9),
    "trillion": Decimal(10**12), "k": Decimal(10**3), "bn": Decimal(10**9), "m": Decimal(10**6),
    "b": Decimal(10**9), "mn": Decimal(10**6),
}  # fmt: skip
MULTIPLES: Mapping[str, Decimal] = {
    **dict.fromkeys(_words("twice double doubled doubles doubling twofold"), Decimal("2.0")),
    **dict.fromkeys(_words("thrice triple tripled triples tripling threefold trebled"), Decimal("3.0")),
    **dict.fromkeys(_words("quadruple quadrupled quadrupling fourfold"), Decimal("4.0")),
    **dict.fromkeys(_words("quintuple quintupled fivefold"), Decimal("5.0")),
    **dict.fromkeys(_words("halved halves halving"), Decimal("0.5")),
    "sixfold": Decimal("6.0"), "sevenfold": Decimal("7.0"), "eightfold": Decimal("8.0"),
    "ninefold": Decimal("9.0"), "tenfold": Decimal("10.0"), "hundredfold": Decimal("100.0"),
}  # fmt: skip

VAGUE = _words("""
    baker's basis billion billions bps buck bucks bulk cent cents century chf cny countless couple crore
    cubed decade decades digit digits dollar dollars dozen dozens duo eighth eur euro euros exponent few
    fifth fifths figure figures fiveteen fold fortnight fourth fourths fourty fraction franc francs
    gazillion gbp grand gross half handful hundert hundreds hundredth hundredths infinite infinity jpy
    lakh lion's logarithmic magnitude magnitudes majority manifold mil milion million millions minority
    minus multifold multiple multiples myriad naught negative nil nintey ninth ninty nought numerous pair
    pairs pct percent percentage percentages percentile pound pounds power quarter quarters quartet quid
    rupee rupees score scores second seventh several sixth sixths squared tens tenth tenths third thirds
    thousands thousandth thousend ton tons trillions trio triplet umpteen yen yuan zero zillion
""")
"""Amounts no value can be held against; a recognised number takes its words first."""

RELATIVE = _words("""
    afternoon ago autumn christmas dawn daytime dusk easter evening evenings fortnightly halloween holiday
    holidays lately lunch lunchtime midmorning midweek morning mornings night nightly nights nowadays
    overnight q1 q2 q3 q4 recently spring summer thanksgiving today tomorrow tonight weekend winter
    yesterday
""")
CALENDAR_UNITS = _words("week weeks month months year years night quarter weekend hour hours day days")
RATES = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year",
         "annually": "year", "annual": "year", "annualised": "year", "annualized": "year"}  # fmt: skip

PEOPLE_ACTS = _words("""
    accidental accidentally according accused acknowledged acknowledges admits admitted advised agreed
    agrees announced announcement announces apologised apologized approval approve approved approves
    approving asked assured authorised authorized aware believed believes blamed certainly claimed claims
    click complained complains conceded concluded confirmation confirmed confirming contacted decided
    decides definitely deliberate deliberately demanded denied denies disclosed disregard emailed fired
    forgot guarantee guaranteed guarantees hired i i'm i've ignore immediately informed insisted
    instructed intended intentional intentionally knew know knowing knows legitimate me mentioned mentions
    messaged mine mistakenly my myself negligent negligently object objected objects ordered phoned
    promised proof proved proven proves refused replied replies requested resigned revealed said saying
    says signed speaks spoke stated states tells testified thinks thought told undoubtedly unintended
    unintentional urgent urgently verified vouched warned writes wrote
""")
"""Somebody said, decided or vouches for something: no tool sees that."""
PEOPLE_BASES = _words("confirm confirms say tell agree claim deny warn admit reply state verify verifies")
"""Only after `to`, `should` and the like, or said of the evidence."""
MAY_BE_BASE = _words("to should can could must may might please and or")
EVIDENCE_NOUNS = _words("evidence data numbers it this that which breakdown ledger usage comparison history")
DONE_ACTS = _words("""
    activated alerted applied blocked canceled cancelled ceased closed committed configured contained
    corrected credited deactivated deleted deployed disabled downgraded enabled enforced escalated fixed
    imposed installed introduced launched merged mitigated notified patched planned reconfigured recovered
    refunded reimbursed released remediated removed repaired resolved restored reverted revoked rotated
    scheduled shipped solved stopped suspended terminated throttled undone updated upgraded
""")
"""Something was done about it or before it: no tool sees that."""
ACCUSED = _words("""
    abuse abused attacker attackers bankrupt breach breached compromised crime criminal dark darknet
    exfiltrated exploited fraud fraudulent hacked hacker hackers illegal insider lawsuit malicious malware
    phishing ransomware sabotage stole stolen theft thief
""")
UNMEASURED = _words("""
    backlog bot bots bug bugs campaign crawler crawlers deploy deployment deployments downtime email
    experiment holiday holidays hotfix launch load-test maintenance meeting migration misconfiguration
    misconfigured outage outages patch patches recursion release releases rollout rollouts test tests
    ticket tickets
""")
"""Causes no tool measures: they may be asked about, not told."""
HEDGES = _words("whether check ask may might could possibly perhaps if look consistent suggests")
MOST_OF_ALL = _words("likely plausible probable probably expensive important affected common recent")
ACRONYMS = _words("UTC USD API APIs LLM LLMs SDK SDKs ID IDs HTTP AI UNALLOCATED JSON")
COMPOUND = _words("""
    and back based break broken by cache called cost cut day deep down driven end failed failure first
    follow for high high-volume higher hour hourly hours in input key known large largest level like limit
    lived long low lower model multi never new newly non of off old only out output over peak per pre
    previously priced prompt rate re read related request requests retries retry roll round run running
    same seen self service seven short side single size sized small so stand the tier time to token tokens
    unusual up up-to-date ups used user volume week weekly weeks well wide write year
""") - {"seven", "high-volume", "up-to-date"}
"""Parts of words with a hyphen that are no names."""
SLASHED = frozenset({"and/or", "input/output", "input/output."})
UNITS_AND_DATES = _words("""
    am apr april aug august d dec december dollar dollars feb february fold fri friday h jan january jul
    july jun june mar march may midnight mon monday mtok nd noon nov november oct october pm rd s sat
    saturday sep sept september st sun sunday th thu thursday times tue tuesday usd utc w wed wednesday x
""")
QUALIFIERS: Mapping[str, tuple[str, ...]] = {
    "failed": ("fail", "error"), "retried": ("retr",), "unpriced": ("unpriced",), "new": ("new",),
    "refused": ("refus",), "active": ("active",), "steady": ("steady",),
}  # fmt: skip
"""Parts of a field's name, and words that a number is not told with unless its field has the part."""
NARROWED = frozenset({"requests", "keys", "models", "clients", "tiers"})
"""Counts of which fields hold parts too."""
PEOPLE = _words("""
    admin administrator administrators admins anybody anyone board ceo cfo colleague colleagues contractor
    contractors cto customer customers developer developers employee employees engineer engineers
    everybody everyone finance intern leadership management manager managers nobody operator operators
    owner owners people person security somebody someone staff support who whoever
""")
ADVICE = _words(
    "ask should check whether could may might must please let needs need would if notify recommended"
)
"""Words with which people may be spoken of: nothing is told of them then."""
LEADING_TO_A_NAME = _words("by from in at on via against to for of")
"""A word no list knows right behind one of these, without an article, is a name."""
AROUND = _words("within for over during in")
MULTIPLYING = _words("each apiece multiplied")
"""What makes another number of one."""
