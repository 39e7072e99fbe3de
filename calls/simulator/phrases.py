"""What people say on the simulated telephones, in Portuguese, as data: spoken by the telephones, recognised by the
simulated Realtime server from its sound. Both sides read this one table, and nothing else connects them but audio.
"""

from dataclasses import dataclass
from enum import StrEnum

VOICES = ("pt-br", "pt-br+f2", "pt-br+m3", "pt-br+f4")
"""espeak-ng voices of the simulated people. The recogniser knows these voices, as one knows one's colleagues."""


class Meaning(StrEnum):
    GREETING = "greeting"  # "alô?": somebody is there, nothing is decided
    ACCEPT = "accept"
    REJECT = "reject"
    WHO = "who"  # asks who is calling
    REPEAT = "repeat"  # did not understand
    WAIT = "wait"  # asks for a moment: neither a yes nor a no
    VOICEMAIL = "voicemail"  # an answering machine's greeting
    EXTENSION = "extension"  # sends the caller to another one; where there is no tool for that, a rejection
    CHAT = "chat"  # talk between agent and caller once connected: means nothing to the announcer
    UNCLEAR = "unclear"  # nothing in the table sounds like it


@dataclass(frozen=True)
class Phrase:
    text: str
    meaning: Meaning
    reason: str | None = None
    """What a good model reports as the reason of a rejection."""
    extension: str | None = None
    """The extension it names."""


_M = Meaning

PHRASES: dict[str, Phrase] = {
    "alo": Phrase("Alô?", _M.GREETING),
    "alo_pois_nao": Phrase("Alô, pois não?", _M.GREETING),
    "vendas_bom_dia": Phrase("Vendas, bom dia!", _M.GREETING),
    "sim_pode_passar": Phrase("Sim, pode passar.", _M.ACCEPT),
    "pode_transferir": Phrase("Pode transferir, por favor.", _M.ACCEPT),
    "claro_eu_atendo": Phrase("Claro, eu atendo.", _M.ACCEPT),
    "manda_pra_mim": Phrase("Tudo bem, manda a ligação pra mim.", _M.ACCEPT),
    "em_reuniao": Phrase("Agora não posso, estou em reunião.", _M.REJECT, "em reunião"),
    "em_outra_ligacao": Phrase("Não dá, estou em outra ligação.", _M.REJECT, "em outra ligação"),
    "saindo_para_almoco": Phrase("Não, estou saindo para o almoço.", _M.REJECT, "saindo para o almoço"),
    "ligar_mais_tarde": Phrase("Peça para ligar mais tarde, por favor.", _M.REJECT, "pediu para ligar mais tarde"),
    "quem_esta_falando": Phrase("Quem está falando?", _M.WHO),
    "quem_gostaria": Phrase("Quem gostaria?", _M.WHO),
    "do_que_se_trata": Phrase("Do que se trata essa ligação?", _M.WHO),
    "pode_repetir": Phrase("Desculpe, não entendi. Pode repetir?", _M.REPEAT),
    "repete_por_favor": Phrase("Como é? Repete, por favor.", _M.REPEAT),
    "so_um_momento": Phrase("Hum, espera só um momento.", _M.WAIT),
    "deixa_eu_ver": Phrase("Deixa eu ver aqui.", _M.WAIT),
    "correio_de_voz": Phrase(
        "Você ligou para o correio de voz. No momento não posso atender. Deixe a sua mensagem depois do sinal.",
        _M.VOICEMAIL,
    ),
    "caixa_postal": Phrase(
        "Sua chamada está sendo encaminhada para a caixa postal. Após o sinal, grave o seu recado e aguarde o retorno.",
        _M.VOICEMAIL,
    ),
    "passa_para_o_ramal": Phrase(
        "Isso não é comigo. Passa para o ramal dois mil e três.",
        _M.EXTENSION,
        "pediu para passar para o ramal 2003",
        "2003",
    ),
    "nao_existe_esse_ramal": Phrase(
        "Quem cuida disso é o ramal nove mil e onze.", _M.EXTENSION, "pediu para passar para o ramal 9011", "9011"
    ),
    "em_que_posso_ajudar": Phrase("Bom dia, em que posso ajudar?", _M.CHAT),
    "estou_aguardando": Phrase("Sim, estou aguardando.", _M.CHAT),
    "queria_um_orcamento": Phrase("Eu queria um orçamento para vinte licenças.", _M.CHAT),
    "obrigado_tchau": Phrase("Muito obrigado, até logo!", _M.CHAT),
}


def of(meaning: Meaning) -> list[Phrase]:
    """Every phrase of one meaning, in the table's order."""
    return [phrase for phrase in PHRASES.values() if phrase.meaning == meaning]
