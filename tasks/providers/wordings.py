"""The error texts of providers as patterns: refused, failed or busy. `errors` uses them."""

import re


def phrases(lines: str) -> re.Pattern[str]:
    """Compile the patterns, one a line, case-insensitive. A further indented line continues one."""
    return re.compile("|".join(lines.strip().replace("\n        ", "").split("\n    ")), re.IGNORECASE)


# Codes that mean a refused content and nothing else.
CONTENT_CODES = phrases(r"""
    \bE005\b
    \b(moderation_blocked|content_policy_violation|ResponsibleAIPolicyViolation|content_moderation)\b
    \b(prompt_unsafe|invalid_prompts|CONTENT_FILTER(ED)?|(IMAGE_)?PROHIBITED_CONTENT|IMAGE_SAFETY)\b
    \bSAFETY\.(INPUT|OUTPUT)\b
    (PREPROCESSING|PARTY)\.SAFETY\b
    \bContentPolicyViolation
    \b(finish|block|stop)_?reason\W{1,4}(\w+\.)?(SAFETY|BLOCKLIST|SPII|RECITATION|REFUSAL)\b
    SensitiveContentDetected
    \b(Input|Output)\w*RiskDetect
    \bDataInspectionFailed\b
    \bnew_sensitive\b
    _moderation\W{1,3}(blocked|flagged|rejected)\b
    \brisk not pass\b
    \bderivative works filter\b
    \bcontent[ _]policy[ _]violation\b
""")
# A refusal has the guarded subject and the verdict in one clause. "safety_checker" is no subject.
GUARD = phrases(r"""
    \b(nsfw|sensitive|safety|moderat(ion|ed|or)|guardrails?|responsible[ _]ai|risk control|trust and safety)\b
    \b(inappropriate|unsafe|harmful|hateful|violent|offensive|explicit|sexual|adult|graphic|objectionable
        |illegal|disallowed|prohibited|forbidden|banned|restricted|copyrighted|filtered|blocked) (content
        |words?|terms?|material|images?|imagery|text|prompts?|phrases?|keywords?|language|information|media)\b
    \b(nudity|hate speech|self-harm|violence|gore|pornograph\w+|copyright(ed)?|celebrit(y|ies))\b
    \b(real|public|famous) (person|people|figures?)\b
    \b(by|for|due to|because of|under|violating) polic(y|ies)\b
    \b(content|moderation|prompt|image|input|output)[ -]?(filter(s|ing)?|moderation|review|security)\b
    \b(content|usage|use|safety|acceptable|community|moderation|platform|service|management|ai|our|their
        |the|this|its|\w+'s)( \w+){0,3} (polic(y|ies)|guidelines|practices|rules|standards|terms)\b
    \b(AUP|RAI|regulations)\b
""")
VERDICT = phrases(r"""
    \b(flagged|blocked|rejected|denied|refused|declined|moderated|filtered|detected|found|censored|withheld
        |removed)\b
    \b(violat(es?|ed|ing|ions?)|breach(es|ed)?|goes against|against|not comply|contravenes?)\b
    \b(contain(s|ed|ing)?|includes?|including|inclusion of|involves?|depicts?|deemed|considered|triggered
        |triggers)\b
    (\bnot|n't|\bnever) (be )?(allowed|permitted|pass(ed)?|accepted?|generated?|shown|follow|safe|create
        |produce|process|help)\b
    \b(fail(ed|s|ure)?) (to pass |the |our |a |an )?(\w+ ){0,2}(check|review|filter|screening|inspection
        |moderation|safety|risk)\b
    \b(prohibited|disallowed|forbidden) (by|content)\b
    \bis (prohibited|inappropriate|unsafe|nsfw|sensitive)\b
    \b(moderation|check|review|screening|inspection) failed\b
    \bviolations?=
""")
# A subject of moderation together with a bare verdict.
JUDGED = phrases(r"""
    \b(request|content|prompt|input|output|image|generation|result|video|text)s? ((was|were|is
        |has been) )?moderated\b
    \b(prompt|input|output|image|content|text|video|photo|your request)s? ((was|were|is|has been|have been
        |got) )?flagged\b(?! for)
""")
# Words that mean a refusal by themselves, unless the clause has a word of a transient fault.
NAMED = phrases(r"""
    \bnsfw( (content|image|output|prompt|input|text))?\b
    \bresponsible ai\b
    \bsafety (system|filters?|guidelines)\b
    \b(content|usage) (polic(y|ies)|guidelines|restrictions)\b
    \bcommunity guidelines\b
    \b(inappropriate|unsafe|harmful|hateful|explicit|sexual|illegal|disallowed|prohibited|forbidden
        |banned) (content|words?|material|images?|prompts?|language)\b
    \b(prompt|image|content|input|output|text) (is )?(not safe|unsafe|sensitive)\b
    \b(unsafe request|content moderation)\b
""")
# A clause with one of these speaks of a machine, or of another policy, whatever else it says.
TECHNICAL = phrases(r"""
    \b(Key|Attribute|Type|Import|ModuleNotFound|FileNotFound|Index|Name|HTTP|Connection|Timeout|OS|IO
        |Assertion|JSONDecode|Decode|Syntax|Unicode|Permission|NotImplemented|ZeroDivision|SSL|Proxy|Read
        |Safetensor)(Error|Timeout)\b
    (\bun|\bnot |n't )(available|reachable|responding|respond|loaded|installed|initiali[sz]ed|configured
        |defined|found)\b
    \b(fail(ed|ure|s)?|unable|could ?n[o']t|can ?n[o']t|error|exception)( to| be| while| when| in
        | during)? (load|check|run|reach|verif|evaluat|call|initiali|import|download|connect|fetch|pars
        |scan|open|read|start
        |instantiat|contact|determin|decod|import|compil|quer|invok|execut|creating|deseriali|authenticat)\w*
    \b(timed? ?-?out|overloaded|crashed|connection|socket|traceback|undefined|null|none ?type|syntax
        |exception in)\b
    \b(429|5\d\d)\b
    \b(policy|safety|nsfw|moderation|filter)\W{1,3}(none|ok|passed|false)\b
    \bscore\W{0,2}\d
    \b(skipped|interlock|sensor|pipeline)\b
    \brate[ -]?limit
    \btoo many requests\b
    \bout of memory\b
    \bOOM\b
    \bbad gateway\b
    \bquota\b
    \bis down\b
    \b(re(started|booted)|crash\w*|segmentation|corrupt\w*|mismatch|NaN|disabled|missing|unexpected
        |internal( server)? error|exit (code|status)|errno|handshake|certificate|dns|cuda|driver|died
        |produced)\b
    \b(weights?|checkpoints?|tensors?|pickle|module|attribute|argument|parameter|keyword|object|directive
        |dtype|class(ifier)?|detector|tolerance|threshold|variables?|headers?|column|constraint|environment
        |fields?)\b
    \b(must|should) be\b
    \bis required\b
    \bexpected\b
    \binvalid (moderation|safety)\b
    \bwhether\b
    \bpassed\b
    \b(case|time|latency|order|whitespace)[ -]sensitive\b
    \bsensitive (data|key|file|config\w*|setting|log|api|path)
    \b(thread|type|memory|null|exception|concurrency)[ -]safety\b
    \bsafety (margin|lock|limit|net|factor|shutdown|timer?)\b
    \b(cors|csp|iam|bucket|retry|access|network|(?<!content )security|firewall|origin|organi[sz]ation
        |restart|row-level|scheduling|cache|eviction|password|retention|referrer|scaling) polic
    content-security-policy\b
    \b(no|not|never|without|0|zero) (any |been |be |a )?(potential )?(nsfw|sensitive|unsafe|flagged
        |moderated|prohibited|blocked)\b
""")

TOO_MUCH = phrases(r"""
    \b(out|enough|insufficient)( of)? (\w+ )?memory\b
    OutOfMemory
    \bOOM\b
    \bE1001\b
    ALLOC_FAILED
""")
# Their machine could not read the photo that we named: the next attempt names it anew.
NOT_FETCHED = phrases(r"""
    \b(could ?n[o']t|can ?n[o']t|can't|fail(ed|ure)?|unable|error)( to| while| when)? ?(fetch|download
        |retriev)\w*
""")
OUR_ACCOUNT = phrases(r"""
    \binsufficient[_ ](\w+ )?(credit|balance|fund|quota)s?\b
    \bpayment required\b
    \bbilling\b
    \bspend(ing)? limit\b
    \bfree time limit\b
    \b(out of|no|not enough) credits?\b
    \bexceeded your current quota\b
    \bE00[12]\b
    \b(account|organi[sz]ation|token|api[ _-]?key)\b[\w ]{0,20}\b(suspended|disabled|deactivated|revoked
        |expired|locked)\b
    \b(invalid|incorrect|wrong|expired)[ _](\w+ )?(api[ _-]?key|api token|token provided|auth\w* token
        |credentials)\b
    \b(un|not )authenticated\b
    \binvalid_api_key\b
    \bauthentication (failed|required|error)\b
""")
GONE = phrases(r"""
    \b(version|model|deployment)s?\b[^.;\n]{0,80}\b(n[o']t exist|n[o']t found|n[o']t be found|no longer
        |is not available|is disabled|(been|was|is) (deleted|removed
        |disabled|deprecated|retired|archived|discontinued|taken (down|offline)))
    \b(no such|unknown|nonexistent|deprecated|invalid) (model|version|deployment)\b
    \b(permission|access) to (\w+ ){0,4}(model|version|deployment)\b
""")
BAD_INPUT = phrases(r"""
    \b(input )?validation (error|failed)\b
    \binvalid[ _](input|value|type|argument|parameter|prompt|image|file|format)s?\b
    \b(must|should) be(?! (retried|repeated|restarted|sent again))\b
    \bis (not a valid|required|too (long|large|small|short|big))\b
    \bunsupported\b
    \bout of range\b
    \btoo many tokens\b
    \bmaximum (context|length|size|number)\b
    \bcannot identify image\b
""")
PASSING_TROUBLE = phrases(r"""
    \bE(1000|6716|8367|8765|9825|9243|003|004)\b
    \b(http\w*|status|code|error|failed|returned|responded|response|got|received)[\W_]{1,3}((status|code
        |error|is|was|with)[\W_]{1,3}){0,3}(408|425|429|5\d\d)\b
    \b(408|425|429|5\d\d)\W{1,3}(client|server|too many|bad gateway|service|gateway|internal|request|error)
    \btoo many requests\b
    \brate[ _-]?limit
    \bthrottl
    \bresource[ _](has been |is )?exhausted\b
    \bquota\b
    \bbad gateway\b
    \bgateway time
    \b(internal|server)( server)? error\b
    \bINTERNAL\.BAD_OUTPUT
    \bunavailable\b
    \boverload
    \bhigh (demand|load|traffic|volume)\b
    \bheavy (demand|load|traffic)\b
    \bcapacity\b
    \b(server|service|model|system|engine|workers?|provider|upstream|gpus?)\b( is| are)?( currently| too
        | temporarily)? (busy|down|offline|unreachable|loading|starting|booting|not ready|restarting)\b
    \bqueue\b[^.]{0,20}\bfull\b
    \bfull queue\b
    \b(connection|socket|stream|network|peer|remote end|transport|upstream)\b[^.;\n]{0,40}\b(reset|refused
        |aborted|closed|broken|lost|error|dropped|terminated|interrupted|unreachable|disconnect\w*)\b
    \bdisconnected\b
    \b(could ?n[o']t|can ?n[o']t|unable to|failed to) (connect|reach)\b
    \bE(CONN\w+|TIMEDOUT|AI_AGAIN|NETUNREACH|HOSTUNREACH|PIPE)\b
    \bbroken pipe\b
    \bname resolution\b
    \bmax retries exceeded\b
    \bincomplete ?read\b
    \bRemoteProtocolError\b
    \bSSLE?\w*Error\b
    \bunexpected EOF\b
    \bgoaway\b
    \btime[ds]?[ -]?out
    (Read|Connect)Timeout
    \bTimeoutError\b
    \bdeadline[ _]?exceeded\b
    \btook too long\b
    \binterrupted\b
    \bpre-?empted\b
    \bevicted\b
    \bshut(ting)? ?down\b
    \bSIGTERM\b
    \b(worker|node|instance|container|pod) (was |has )?(lost|died|crashed|restarted|killed|stopped
        |terminated)\b
    \bhealth ?check\b
    \bcold (boot|start)\b
    \b(retry|try again|try your request again)( again)?\b(?! (with|using|after (chang|remov
        |reduc)))([\w ,]{0,20}\b(later|soon|shortly|moments?|minutes?|seconds?|while|hours?)\b|\s*[.!(]|\s*$)
    \bplease (wait|retry)\b
    \b(temporary|transient|intermittent)\b
    \bno (\w+ )?(workers?|gpus?|instances?|machines?|resources?)\b
""")
