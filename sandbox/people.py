"""The made-up names and titles that the tenant draws from: many scripts, and the traps that real tenants hold."""

from __future__ import annotations

__all__ = ["DEPARTMENTS", "NAMES", "TITLES"]

NAMES: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"mara": "Mara", "ada": "Ada", "owen": "Owen"}, ("Quill", "O’Hara", "Brandt-Lindqvist")),  # noqa: RUF001 - as people spell it
    ({"jose": "José María", "ines": "Inês", "zoe": "Zoë"}, ("García Núñez", "d'Ávila", "Müller")),
    ({"lukasz": "Łukasz", "sarka": "Šárka", "gyorgy": "György"}, ("Żółkiewski", "Dvořáková", "Szőke")),
    ({"dmitri": "Дмитрий", "oksana": "Оксана", "bojan": "Бојан"}, ("Орлов", "Ґудзь", "Љубић")),
    ({"eleni": "Ελένη", "nikos": "Νίκος", "thalia": "Θάλεια"}, ("Παπαδοπούλου", "Ιωάννου", "Ξένος")),
    ({"layla": "ليلى", "omar": "عمر", "parisa": "پریسا"}, ("حدّاد", "الزهراوي", "کیانی")),
    ({"miriam": "מרים", "noam": "נועם", "tal": "טל"}, ("לוי", "בן־דוד", "שגיא")),
    ({"misaki": "美咲", "kenta": "健太", "sakura": "さくら"}, ("佐藤", "渡邊", "𠮷野")),
    ({"wei": "伟", "lihua": "丽华", "meiling": "美玲"}, ("王", "欧阳", "陳")),
    ({"jimin": "지민", "seojun": "서준", "haeun": "하은"}, ("김", "남궁", "박")),
    ({"priya": "प्रिया", "arjun": "अर्जुन", "kavya": "काव्या"}, ("शर्मा", "वर्मा", "त्रिपाठी")),
    ({"selvi": "செல்வி", "kumar": "குமார்", "malar": "மலர்"}, ("ராஜன்", "நாதன்", "முத்து")),
    ({"somchai": "สมชาย", "malee": "มาลี", "niran": "นิรันดร์"}, ("ใจดี", "แสงทอง", "ศรีสุข")),
    ({"huong": "Thị Hương", "duc": "Đức", "quynh": "Quỳnh"}, ("Nguyễn", "Trần", "Phạm")),
    ({"nino": "ნინო", "giorgi": "გიორგი", "tamar": "თამარ"}, ("ბერიძე", "კვარაცხელია", "ლომიძე")),
    ({"anahit": "Անահիտ", "aram": "Արամ", "nare": "Նարե"}, ("Պետրոսյան", "Սարգսյան", "Հակոբյան")),
    ({"abebe": "አበበ", "hana": "ሃና", "selam": "ሰላም"}, ("ተስፋዬ", "ወልደ", "ከበደ")),
    ({"sam": "Sam 🦊", "zoe2": "Zoe\u0308", "suharto": "Suharto"}, ("", 'Fox "Red"', "Smith & <Sons>")),
)
"""By script: given names under a romanised form that logins are made of, and family names (one is empty, some end in
a combining mark, some read like HTML, one lies outside the basic plane)."""

TITLES = (
    "Health & Safety",
    "Data Protection — GDPR <essentials>",
    "Leadership “from within”",
    "First Aid ⛑️",
    "安全衛生の基礎",
    "Fire Warden",
    "Anti-Bribery & Corruption",
    "Schreiben für Techniker",
    "Введение в логистику",
    "Customer Care 101",
)
"""Titles of courses; an ampersand and angle brackets are in the first two on purpose."""

DEPARTMENTS = ("Warehouse", "Sales & Service", "Büro Köln", "開発部")
