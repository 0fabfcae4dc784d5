/* What the pages say. */
#include "web/text.h"

#include "base/buf.h"

enum { FILLED_BYTES_MAX = 64 * 1024, WEIGHT_MAX = 1000, RANGES_MAX = 32 };

static const struct str texts[TEXTS][LANGUAGES] = {
#define TEXT(name, en, pt) [TEXT_##name] = {[LANGUAGE_EN] = STR_INIT(en), [LANGUAGE_PT_BR] = STR_INIT(pt)}
    TEXT(NONE, "", ""),
    TEXT(SKIP, "Skip to the content", "Ir para o conteúdo"),
    TEXT(OTHER_LANGUAGE, "Language", "Idioma"),
    TEXT(SOMETHING_WRONG, "That did not work", "Algo não deu certo"),
    TEXT(TO_DASHBOARD, "To the dashboard", "Ir para o painel"),
    TEXT(TO_LOGIN, "To the login page", "Ir para a página de entrada"),
    TEXT(HERE_FOR, "Logged in as {}", "Você entrou como {}"),
    TEXT(CALL_ID, "If you ask for help, give this number: {}", "Se você pedir ajuda, informe este número: {}"),

    TEXT(LOGIN_TITLE, "Log in", "Entrar"),
    TEXT(EMAIL_OR_PHONE, "E-mail or phone", "E-mail ou telefone"),
    TEXT(PASSWORD, "Password", "Senha"),
    TEXT(LOGIN, "Log in", "Entrar"),
    TEXT(FORGOT, "Forgot your password?", "Esqueceu sua senha?"),
    TEXT(LOGGED_IN_TITLE, "You are logged in", "Você entrou"),
    TEXT(GO_ON, "Continue", "Continuar"),
    TEXT(TRIES_NOT_YOURS,
         "If those tries were not yours: set a new password by mail, and this browser is let in at once.",
         "Se não foi você que tentou: defina uma nova senha por e-mail, e este navegador poderá entrar na hora."),
    TEXT(REGISTER_LINK, "Make an account", "Criar uma conta"),
    TEXT(CODE_TITLE, "One more step", "Mais uma etapa"),
    TEXT(CODE, "Code", "Código"),
    TEXT(CODE_HELP, "The six digits that your authenticator app shows, or one of your recovery codes.",
         "Os seis dígitos que seu aplicativo autenticador mostra, ou um dos seus códigos de recuperação."),
    TEXT(CODE_SEND, "Continue", "Continuar"),
    TEXT(BEGIN_AGAIN, "Log in as somebody else", "Entrar com outra conta"),
    TEXT(LOGOUT_TITLE, "Log out", "Sair"),
    TEXT(LOGOUT_ASK, "Log out of this browser? Your AI clients go on working.",
         "Sair neste navegador? Seus clientes de IA continuam funcionando."),
    TEXT(LOGOUT, "Log out", "Sair"),
    TEXT(LOGGED_OUT, "You are logged out.", "Você saiu."),

    TEXT(REGISTER_TITLE, "Make an account", "Criar uma conta"),
    TEXT(SETUP_TITLE, "Set up porteiro", "Configurar o porteiro"),
    TEXT(SETUP_INTRO, "This makes the first account. It is an administrator's: it can invite others.",
         "Aqui se cria a primeira conta. Ela é de administrador e pode convidar outras pessoas."),
    TEXT(INVITATION_TITLE, "You are invited", "Você recebeu um convite"),
    TEXT(INVITATION_INTRO,
         "Make an account, so that AI assistants can work on your sites within the rights you give them.",
         "Crie uma conta, para que assistentes de IA trabalhem nos seus sites dentro das permissões que você der."),
    TEXT(NAME, "Name", "Nome"),
    TEXT(EMAIL, "E-mail", "E-mail"),
    TEXT(PHONE, "Phone", "Telefone"),
    TEXT(PHONE_HELP, "With the country code, such as +55 11 91234-5678.",
         "Com o código do país, por exemplo +55 11 91234-5678."),
    TEXT(NEW_PASSWORD, "New password", "Nova senha"),
    TEXT(PASSWORD_HELP, "At least 12 characters. Several words are easy to remember.",
         "Pelo menos 12 caracteres. Várias palavras são fáceis de lembrar."),
    TEXT(REGISTER, "Make the account", "Criar a conta"),
    TEXT(HAVE_ACCOUNT, "I have an account", "Já tenho uma conta"),
    TEXT(BY_INVITATION, "Accounts are made by invitation here. Open the link of your invitation.",
         "Aqui as contas são criadas por convite. Abra o link do seu convite."),
    TEXT(CLOSED, "No new accounts are made here. Ask the operator of this server.",
         "Aqui não se criam novas contas. Fale com quem administra este servidor."),

    TEXT(RESET_TITLE, "Forgotten password", "Senha esquecida"),
    TEXT(RESET_INTRO, "We send you a link with which you choose a new password.",
         "Enviaremos um link com o qual você escolhe uma nova senha."),
    TEXT(RESET_SEND, "Send the link", "Enviar o link"),
    TEXT(RESET_SENT,
         "If there is such an account, a mail is on its way to its address. The link in it is good for 30 minutes.",
         "Se essa conta existe, um e-mail está a caminho do endereço dela. O link vale por 30 minutos."),
    TEXT(RESET_NO_MAIL, "This server sends no mail. Ask its operator for a link.",
         "Este servidor não envia e-mails. Peça um link a quem o administra."),
    TEXT(RESET_NEW_TITLE, "A new password", "Uma nova senha"),
    TEXT(RESET_SET, "Set the password", "Definir a senha"),
    TEXT(RESET_DONE, "Your new password is set, and all logins have ended. Log in with it.",
         "Sua nova senha foi definida e todas as sessões foram encerradas. Entre com ela."),

    TEXT(CONFIRM_TITLE, "Confirm your e-mail address", "Confirme seu endereço de e-mail"),
    TEXT(CONFIRM_INTRO, "Confirm that the address this link was sent to is yours.",
         "Confirme que o endereço que recebeu este link é seu."),
    TEXT(CONFIRM, "Confirm the address", "Confirmar o endereço"),
    TEXT(CONFIRMED, "Your e-mail address is confirmed.", "Seu endereço de e-mail está confirmado."),

    TEXT(CONNECTED_TITLE, "Connected", "Conectado"),
    TEXT(CONNECTED, "{} is connected.", "{} está conectado."),
    TEXT(CONNECTED_AS, "It works there as {} ({}).", "Lá o trabalho é feito como {} ({})."),
    TEXT(TOKEN, "Token", "Token"),
    TEXT(TOKEN_ONCE, "It is shown this once. Keep it like a password.",
         "Ele é mostrado só desta vez. Guarde-o como uma senha."),
    TEXT(MCP_ADDRESS, "Address for your AI client", "Endereço para seu cliente de IA"),
    TEXT(CONNECTED_NEXT, "Set up your AI client", "Configurar seu cliente de IA"),
    TEXT(CONNECT_ASK_TITLE, "Connect it?", "Conectar?"),
    TEXT(CONNECT_ASK, "{} has let this server in. Connected, it is called {} here, and your AI clients can work there.",
         "{} deixou este servidor entrar. Conectado, ele se chama {} aqui, e seus clientes de IA podem trabalhar lá."),
    TEXT(CONNECT_DO, "Connect", "Conectar"),
    TEXT(CONNECT_NOT, "Do not connect it", "Não conectar"),
    TEXT(CONNECT_FAILED_TITLE, "Not connected", "Não conectado"),
    TEXT(CONNECT_REFUSED, "You said no at the site, or it took longer than ten minutes. Nothing was connected.",
         "Você recusou no site, ou demorou mais de dez minutos. Nada foi conectado."),
    TEXT(CONNECT_AGAIN, "Back to the dashboard", "Voltar ao painel"),
    TEXT(CONNECT_MAYBE_TITLE, "Is it connected?", "Está conectado?"),
    TEXT(CONNECT_MAYBE,
         "This was sent already, or it took longer than ten minutes. If the button was pressed twice, the site is "
         "connected: look under Connections.",
         "Isto já foi enviado, ou demorou mais de dez minutos. Se o botão foi apertado duas vezes, o site está "
         "conectado: veja em Conexões."),
    TEXT(CONNECT_LOOK, "Connections", "Conexões"),

    TEXT(NOT_FOUND_TITLE, "There is nothing here", "Não há nada aqui"),
    TEXT(NOT_FOUND, "This address leads nowhere. Perhaps the link was cut off.",
         "Este endereço não leva a lugar nenhum. Talvez o link esteja incompleto."),
    TEXT(DENIED_TITLE, "Not allowed", "Não permitido"),
    TEXT(DENIED, "You may not do this.", "Você não tem permissão para isso."),
    TEXT(METHOD_TITLE, "Not like this", "Assim não dá"),
    TEXT(METHOD, "This address cannot be opened like this.", "Este endereço não pode ser aberto dessa forma."),
    TEXT(BUSY_TITLE, "Later", "Mais tarde"),
    TEXT(BUSY, "The server cannot do this right now. Try again in a few seconds.",
         "O servidor não consegue fazer isso agora. Tente de novo em alguns segundos."),
    TEXT(BROKEN_TITLE, "Something broke", "Algo quebrou"),
    TEXT(BROKEN, "Something went wrong inside. Nobody but the operator can see what.",
         "Algo deu errado internamente. Só quem administra o servidor pode ver o que foi."),
    TEXT(WRONG_HOST,
         "This name is not ours. The operator has to set PORTEIRO_PUBLIC_URL to the address that people use.",
         "Este nome não é nosso. Quem administra precisa definir PORTEIRO_PUBLIC_URL com o endereço usado."),
    TEXT(BAD_FORM, "The form came in a way that cannot be read.", "O formulário chegou de uma forma ilegível."),
    TEXT(OLD_FORM, "The form was open for too long, or cookies are off. Please send it again.",
         "O formulário ficou aberto por muito tempo, ou os cookies estão desativados. Envie de novo."),
    TEXT(OTHER_SITE, "This form was sent from another site.", "Este formulário foi enviado de outro site."),

    TEXT(HOME_TITLE, "porteiro", "porteiro"),
    TEXT(HOME, "AI clients operate your sites through this server, within the rights you give them.",
         "Clientes de IA operam seus sites por meio deste servidor, dentro das permissões que você der."),
    TEXT(HOME_LOGGED_IN, "The program was built without its dashboard: use the command line or the API.",
         "O programa foi compilado sem o painel: use a linha de comando ou a API."),
    TEXT(CONSENT_TITLE, "Let an app in?", "Permitir um aplicativo?"),
    TEXT(CONSENT_WHO, "{} asks to work for you through this server.",
         "{} pede para trabalhar para você por meio deste servidor."),
    TEXT(CONSENT_BACK, "You will be sent back to {}.", "Você voltará para {}."),
    TEXT(CONSENT_DOCUMENT, "The app is described at {}.", "O aplicativo se descreve em {}."),
    TEXT(CONSENT_UNPROVEN,
         "This app registered itself: its name is what it says of itself, and nobody has checked it. Go on only if you "
         "have just begun this login in the app yourself, and you know the address above.",
         "Este aplicativo registrou a si mesmo: o nome é o que ele diz de si, e ninguém verificou. Continue apenas se "
         "você acabou de começar este acesso no aplicativo e conhece o endereço acima."),
    TEXT(CONSENT_LOOPBACK,
         "The answer goes to a program on the computer you are using ({}). Any program there could be waiting for it: "
         "go "
         "on only if you have just started it yourself.",
         "A resposta vai para um programa no computador que você está usando ({}). Qualquer programa ali poderia estar "
         "esperando por ela: continue apenas se você mesmo acabou de iniciá-lo."),
    TEXT(CONSENT_SITES, "For which connections?", "Para quais conexões?"),
    TEXT(CONSENT_RIGHTS, "What may it do there?", "O que ele pode fazer ali?"),
    TEXT(CONSENT_HAS, "It may already do this:", "Ele já pode fazer isto:"),
    TEXT(CONSENT_MORE, "Now it asks for this as well:", "Agora ele pede também isto:"),
    TEXT(CONSENT_FOR, "For: {}", "Para: {}"),
    TEXT(CONSENT_ANEW, "Choose connections and rights anew", "Escolher de novo as conexões e as permissões"),
    TEXT(CONSENT_ALLOW, "Let it in", "Permitir"),
    TEXT(CONSENT_DENY, "Do not", "Não permitir"),
    TEXT(CONSENT_END, "You can end this at any time, under connected apps.",
         "Você pode encerrar isto a qualquer momento, em aplicativos conectados."),
    TEXT(CONSENT_PICK, "Choose at least one connection.", "Escolha pelo menos uma conexão."),
    TEXT(CONSENT_NONE_TITLE, "Connect a site first", "Conecte um site primeiro"),
    TEXT(CONSENT_NONE,
         "An app works on your connections, and you have none yet. Make one, then begin again in the app.",
         "Um aplicativo trabalha nas suas conexões, e você ainda não tem nenhuma. Crie uma e comece de novo no "
         "aplicativo."),
    TEXT(CONSENT_WRONG_TITLE, "The app asked in a wrong way", "O aplicativo pediu de forma errada"),
    TEXT(CONSENT_WRONG, "The app {} asked for something that does not work here: {} ({}).",
         "O aplicativo {} pediu algo que não funciona aqui: {} ({})."),
    TEXT(CONSENT_RETURN, "Back to {}", "Voltar para {}"),
    TEXT(RIGHT_READ, "Read what the connected user may see", "Ler o que o usuário conectado pode ver"),
    TEXT(RIGHT_DRAFT, "Write drafts: make and change what is not public",
         "Escrever rascunhos: criar e alterar o que não é público"),
    TEXT(RIGHT_PUBLISH, "Publish: change what everybody can see", "Publicar: alterar o que todos podem ver"),
    TEXT(RIGHT_DELETE, "Delete: put things into the trash", "Excluir: mover para a lixeira"),
    TEXT(RIGHT_FETCH, "Fetch files from other addresses into the media library",
         "Buscar arquivos de outros endereços para a biblioteca de mídia"),
    TEXT(RIGHT_ADMIN, "Administer: users, settings, plugins, themes",
         "Administrar: usuários, configurações, plugins, temas"),
#undef TEXT
};

static const struct {
    struct str tag, name;
} languages[LANGUAGES] = {
    [LANGUAGE_EN] = {STR_INIT("en"), STR_INIT("English")},
    [LANGUAGE_PT_BR] = {STR_INIT("pt-BR"), STR_INIT("Português")},
};

struct str text_of(enum text text, enum language language)
{
    return texts[text][language];
}

struct str text_fill_pattern(struct arena *arena, struct str pattern, const struct str *values, size_t n_values)
{
    struct buf out;
    buf_init(&out, arena, FILLED_BYTES_MAX);
    for (size_t i = 0; i < n_values; i++) {
        size_t at = str_find(pattern, STR("{}"));
        buf_add(&out, str_sub(pattern, 0, at));
        buf_add(&out, values[i]);
        pattern = str_from_offset(pattern, at == STR_NOT_FOUND ? pattern.len : at + 2);
    }
    buf_add(&out, pattern);
    return buf_str(&out);
}

struct str text_fill(struct arena *arena, enum text text, enum language language, const struct str *values,
                     size_t n_values)
{
    return text_fill_pattern(arena, text_of(text, language), values, n_values);
}

struct str language_tag(enum language language)
{
    return languages[language].tag;
}

struct str language_name(enum language language)
{
    return languages[language].name;
}

bool language_parse(struct str tag, enum language *ret)
{
    struct str primary = str_sub(tag, 0, str_find_char(tag, '-'));
    if (str_eq_nocase(primary, STR("pt")))
        *ret = LANGUAGE_PT_BR;
    else if (str_eq_nocase(primary, STR("en")))
        *ret = LANGUAGE_EN;
    else
        return false;
    return true;
}

/* "q=0.8" in thousandths; what is none counts as 1. */
static int weight_of(struct str parameters)
{
    struct str parameter;
    while (parameters.ptr && str_next(&parameters, ';', &parameter)) {
        parameter = str_trim(parameter);
        if (!str_starts_with_nocase(parameter, STR("q=0")))
            continue;
        int weight = 0, unit = WEIGHT_MAX / 10;
        for (size_t i = STR("q=0.").len; i < parameter.len && ascii_is_digit(parameter.ptr[i]); i++, unit /= 10)
            weight += (parameter.ptr[i] - '0') * unit;
        return weight;
    }
    return WEIGHT_MAX;
}

bool language_accepted(struct str header, enum language *ret)
{
    struct str range;
    int best = 0;
    for (size_t i = 0; i < RANGES_MAX && str_next(&header, ',', &range); i++) {
        size_t semicolon = str_find_char(range, ';');
        enum language language;
        int weight = semicolon == STR_NOT_FOUND ? WEIGHT_MAX : weight_of(str_from_offset(range, semicolon + 1));
        if (weight > best && language_parse(str_trim(str_sub(range, 0, semicolon)), &language)) {
            best = weight;
            *ret = language;
        }
    }
    return best > 0;
}
