"""Words that a newcomer stumbles over: in first sentences, and as names."""

import re

#: Subjects that a first sentence should not open with.
QUESTIONS = frozenset(re.findall(r"\w+", "what where who whom whose which when why how whether"))
VERBS_OF_SPEECH = frozenset(re.findall(r"\w+", "say says hear hears tell tells"))
#: "Return whether ..." is the usual opening of a predicate.
QUESTIONS_AFTER_RETURN = QUESTIONS - {"whether"}

#: Participles that say what was done to a thing instead of which thing it is. Those that name a
#: state in this field (``trained``, ``fitted``, ``padded``, ``matched``, ``skipped``, ``scaled``,
#: ``expected``, ``merged``) and those with another sense (``left``, ``cut``, ``read``, ``split``)
#: are fine.
PARTICIPLES = frozenset(
    re.findall(
        r"\w+",
        """asked begun done drawn found given gone heard held judged kept known learned made named
        said seen shown taken told unasked unjudged wanted written""",
    )
)
