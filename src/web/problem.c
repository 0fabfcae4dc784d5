/* What went wrong, in the language of who reads it. */
#include "web/problem.h"

enum { HOLES_MAX = 4 };

/* {} stands for what fail() puts in. pages.test.mjs looks whether the English ones are still what the program says. */
static const struct {
    struct str english, portuguese;
    const char *field;
} problems[] = {
#define PROBLEM(field, en, pt)                                                                                         \
    {                                                                                                                  \
        STR_INIT(en), STR_INIT(pt), field                                                                              \
    }
    /* logging in */
    PROBLEM(NULL, "E-mail, phone, password or code are wrong.", "E-mail, telefone, senha ou código estão errados."),
    PROBLEM("code", "Enter the code of your authenticator app, or one of your recovery codes.",
            "Digite o código do seu aplicativo autenticador, ou um dos seus códigos de recuperação."),
    PROBLEM(NULL, "The login took too long. Begin again.", "A entrada demorou demais. Comece de novo."),
    PROBLEM(NULL, "You are not logged in, or your login has ended. Log in again.",
            "Você não entrou, ou sua sessão terminou. Entre de novo."),
    PROBLEM(NULL, "You are logged in at {} places. Log out at some of them first.",
            "Você entrou em {} lugares. Saia de alguns deles primeiro."),
    PROBLEM(NULL, "The password is wrong.", "A senha está errada."),
    PROBLEM(NULL, "Too many tries. Come again in {} second{}.", "Tentativas demais. Volte em {} segundo{}."),
    PROBLEM(NULL, "Too many passwords are being checked right now. Try again in {} seconds.",
            "Há senhas demais sendo verificadas agora. Tente de novo em {} segundos."),
    PROBLEM(NULL, "There is not enough memory to check passwords. Try again later.",
            "Não há memória suficiente para verificar senhas. Tente mais tarde."),
    PROBLEM(NULL, "No thread can be made to check passwords. Try again later.",
            "Não foi possível verificar senhas agora. Tente mais tarde."),
    PROBLEM(NULL, "Your second factor cannot be read. Ask the operator to turn it off.",
            "Seu segundo fator não pode ser lido. Peça a quem administra que o desative."),
    /* what is said of oneself */
    PROBLEM("email", "This e-mail address is registered already.", "Este endereço de e-mail já está cadastrado."),
    PROBLEM("phone", "This phone number is registered already.", "Este número de telefone já está cadastrado."),
    PROBLEM("email", "This is not an e-mail address. It looks like name@example.com, with at most {} characters.",
            "Isto não é um endereço de e-mail. Ele tem a forma nome@exemplo.com, com no máximo {} caracteres."),
    PROBLEM("phone", "The phone number may have digits, spaces and + - ( ) . / only.",
            "O número de telefone só pode ter dígitos, espaços e + - ( ) . /"),
    PROBLEM("phone", "The phone number needs its country code and {} to {} digits, such as +55 11 91234-5678.",
            "O número de telefone precisa do código do país e de {} a {} dígitos, por exemplo +55 11 91234-5678."),
    PROBLEM("name", "The name may not have control characters.", "O nome não pode ter caracteres de controle."),
    PROBLEM("name", "The name needs 1 to {} characters.", "O nome precisa de 1 a {} caracteres."),
    PROBLEM("language", "There are these languages: en, pt-BR.", "Há estes idiomas: en, pt-BR."),
    PROBLEM("password", "The password is not valid text (UTF-8).", "A senha não é um texto válido (UTF-8)."),
    PROBLEM("password", "The password has {} characters; at least {} are needed. Several words are easy to remember.",
            "A senha tem {} caracteres; são necessários pelo menos {}. Várias palavras são fáceis de lembrar."),
    PROBLEM("password", "The password has {} characters; at most {} are possible.",
            "A senha tem {} caracteres; são possíveis no máximo {}."),
    PROBLEM("password", "This password is among the ones that are tried first. Choose another.",
            "Esta senha está entre as que são tentadas primeiro. Escolha outra."),
    PROBLEM("password", "The password holds the name of the e-mail address. Choose another.",
            "A senha contém o nome do endereço de e-mail. Escolha outra."),
    /* links */
    PROBLEM(NULL, "This link was used already, is too old, or never was one. Ask for a new one.",
            "Este link já foi usado, é antigo demais ou nunca existiu. Peça um novo."),
    PROBLEM(NULL, "This link was used already or is older than 30 minutes. Ask for a new one.",
            "Este link já foi usado ou tem mais de 30 minutos. Peça um novo."),
    PROBLEM(NULL, "The e-mail address was changed after this link was sent. Ask for a new link.",
            "O endereço de e-mail mudou depois que este link foi enviado. Peça um novo link."),
    PROBLEM("email", "This invitation is for another e-mail address.", "Este convite é para outro endereço de e-mail."),
    PROBLEM(NULL, "No new accounts are made here. Ask the operator of this server.",
            "Aqui não se criam novas contas. Fale com quem administra este servidor."),
    PROBLEM(NULL, "Accounts are made by invitation here. Open the link of your invitation.",
            "Aqui as contas são criadas por convite. Abra o link do seu convite."),
    PROBLEM(NULL, "There is an administrator already. They can make others.",
            "Já existe um administrador. Ele pode criar outros."),
    /* back from a service */
    PROBLEM(NULL, "This took longer than ten minutes, or was begun by somebody else. Begin again.",
            "Isto demorou mais de dez minutos, ou foi iniciado por outra pessoa. Comece de novo."),
    PROBLEM(NULL, "There is a connection with the name '{}' already.", "Já existe uma conexão com o nome '{}'."),
    PROBLEM(NULL, "An account may have {} connections.", "Uma conta pode ter {} conexões."),
    PROBLEM(NULL, "The provider '{}' is disabled on this server.", "O provedor '{}' está desativado neste servidor."),
#undef PROBLEM
};

/* Does the sentence have that form? What stands in its holes. */
static bool matches(struct str pattern, struct str text, struct str *ret_holes, size_t *ret_count)
{
    *ret_count = 0;
    for (;;) {
        size_t hole = str_find(pattern, STR("{}"));
        if (hole == STR_NOT_FOUND)
            return str_eq(pattern, text);
        if (*ret_count == HOLES_MAX || !str_starts_with(text, str_sub(pattern, 0, hole)))
            return false;
        pattern = str_from_offset(pattern, hole + 2);
        text = str_from_offset(text, hole);
        struct str behind = str_sub(pattern, 0, str_find(pattern, STR("{}")));
        size_t end = behind.len ? str_find(text, behind) : text.len;
        if (end == STR_NOT_FOUND)
            return false;
        ret_holes[(*ret_count)++] = str_sub(text, 0, end);
        text = str_from_offset(text, end);
    }
}

struct problem problem_of(struct arena *arena, struct str english, enum language language)
{
    struct str holes[HOLES_MAX];
    size_t n_holes;
    for (size_t i = 0; i < ARRAY_LENGTH(problems); i++) {
        if (!matches(problems[i].english, english, holes, &n_holes))
            continue;
        struct str text =
            language == LANGUAGE_PT_BR ? text_fill_pattern(arena, problems[i].portuguese, holes, n_holes) : english;
        return (struct problem){text, problems[i].field};
    }
    return (struct problem){english, NULL};
}
