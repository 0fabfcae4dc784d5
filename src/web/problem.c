/* What went wrong, in the language of who reads it. */
#include "web/problem.h"

enum { HOLES_MAX = 6, DEPTH_MAX = 2 };

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
    PROBLEM(NULL, "The password was changed meanwhile. Log in again.",
            "A senha mudou nesse meio-tempo. Entre de novo."),
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
    PROBLEM("name", "Nothing is to be seen of this name: it has only spaces and invisible characters.",
            "Nada se vê deste nome: ele só tem espaços e caracteres invisíveis."),
    PROBLEM("name", "The name may not hold an address of a page (://).",
            "O nome não pode conter o endereço de uma página (://)."),
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
    PROBLEM(
        NULL,
        "No new accounts are made here: nobody could use an invitation. Set PORTEIRO_REGISTRATION=invitation first.",
        "Aqui não se criam contas novas: ninguém poderia usar um convite. Defina antes "
        "PORTEIRO_REGISTRATION=invitation."),
    PROBLEM(NULL, "No new accounts are made here. Ask the operator of this server.",
            "Aqui não se criam novas contas. Fale com quem administra este servidor."),
    PROBLEM(NULL, "Accounts are made by invitation here. Open the link of your invitation.",
            "Aqui as contas são criadas por convite. Abra o link do seu convite."),
    PROBLEM(NULL, "There is an administrator already. They can make others.",
            "Já existe um administrador. Ele pode criar outros."),
    /* letting an app in */
    PROBLEM(NULL, "Choose 1 to {} connections.", "Escolha de 1 a {} conexões."),
    PROBLEM(NULL, "Choose connections to one kind of service at a time.",
            "Escolha conexões de um só tipo de serviço por vez."),
    /* back from a service */
    PROBLEM(NULL, "This took longer than ten minutes, or was begun by somebody else. Begin again.",
            "Isto demorou mais de dez minutos, ou foi iniciado por outra pessoa. Comece de novo."),
    PROBLEM(NULL, "There is a connection with the name '{}' already.", "Já existe uma conexão com o nome '{}'."),
    PROBLEM(NULL, "An account may have {} connections.", "Uma conta pode ter {} conexões."),
    PROBLEM(NULL, "The provider '{}' is disabled on this server.", "O provedor '{}' está desativado neste servidor."),
    /* met in the dashboard */
    PROBLEM(NULL,
            "This request does not come from a page of this server. Programs use an API token (Authorization: Bearer "
            "prt_api_...).",
            "Este pedido não vem de uma página deste servidor. Programas usam um token de API (Authorization: Bearer "
            "prt_api_...)."),
    PROBLEM(NULL, "Log in first, or send an API token (Authorization: Bearer prt_api_...).",
            "Entre primeiro, ou envie um token de API (Authorization: Bearer prt_api_...)."),
    PROBLEM(NULL, "Only an administrator may do this.", "Só um administrador pode fazer isto."),
    PROBLEM(NULL, "Log in with a browser.", "Entre com um navegador."),
    PROBLEM(NULL, "Enter your password again first (POST /api/auth/prove).", "Digite sua senha de novo primeiro."),
    PROBLEM(NULL, "There is nothing with this number.", "Não há nada com este número."),
    PROBLEM(NULL,
            "This Host is not ours. Behind a proxy or another name, set PORTEIRO_PUBLIC_URL to the address people use.",
            "Este Host não é nosso. Atrás de um proxy ou de outro nome, defina PORTEIRO_PUBLIC_URL com o endereço que "
            "as pessoas usam."),
    PROBLEM(NULL, "The answer is too large. Ask for less at once.",
            "A resposta é grande demais. Peça menos de uma vez."),
    PROBLEM(NULL, "Too many streams are open already. Close some pages.",
            "Já há conexões abertas demais. Feche algumas páginas."),
    PROBLEM(NULL, "That is you. Delete your own account under /api/me.", "É você. Exclua sua própria conta em Conta."),
    PROBLEM(NULL, "The settings are not known here.", "As configurações não são conhecidas aqui."),
    PROBLEM(NULL, "{} has no page for letting programs in.", "{} não tem página para deixar programas entrarem."),
    PROBLEM(NULL, "There is no provider \"{}\"; there is: {}.", "Não há o provedor \"{}\"; há: {}."),
    PROBLEM(NULL, "{} has no field \"{}\".", "{} não tem o campo \"{}\"."),
    PROBLEM(NULL, "{} goes only with {}.", "{} só vai com {}."),
    PROBLEM(NULL, "{} must be one of: {}.", "{} precisa ser um destes: {}."),
    PROBLEM(NULL, "{} is missing: {}.", "Falta {}: {}."),
    PROBLEM(NULL, "What was given is too long.", "O que foi informado é longo demais."),
    PROBLEM(NULL, "{} has no state of its own: test the connection instead.",
            "{} não tem estado próprio: teste a conexão."),
    PROBLEM(NULL, "{} sends nothing by itself.", "{} não envia nada por si."),
    PROBLEM(NULL, "The connection is revoked for good. Make a new one.",
            "A conexão foi encerrada de vez. Faça uma nova."),
    PROBLEM("name", "The connection's name may not have control characters.",
            "O nome da conexão não pode ter caracteres de controle."),
    PROBLEM("name", "The connection's name needs 1 to {} characters.",
            "O nome da conexão precisa de 1 a {} caracteres."),
    PROBLEM(NULL, "The connection's {} is larger than {} bytes.", "{} da conexão é maior que {} bytes."),
    PROBLEM(NULL, "Connection {} is named twice.", "A conexão {} foi indicada duas vezes."),
    PROBLEM(NULL, "The connections of one token are to the same kind of service; {} is {}, {} is {}.",
            "As conexões de um token são do mesmo tipo de serviço; {} é {}, {} é {}."),
    PROBLEM(NULL, "Connection {} is revoked, and gets no new tokens.",
            "A conexão {} foi encerrada e não recebe novos tokens."),
    PROBLEM(NULL, "There is no such user.", "Não há essa pessoa."),
    PROBLEM(NULL, "There are {} open invitations. Take some back first.",
            "Há {} convites abertos. Cancele alguns primeiro."),
    PROBLEM(NULL, "You may have {} API tokens. End some that are not used any more.",
            "Você pode ter {} tokens de API. Encerre alguns que não são mais usados."),
    PROBLEM("name", "The token needs a name of at most {} bytes, so that you know it again.",
            "O token precisa de um nome de no máximo {} bytes, para você reconhecê-lo."),
    PROBLEM(NULL, "This login has ended.", "Esta sessão terminou."),
    PROBLEM(NULL, "This token has ended already. Make a new one.", "Este token já terminou. Crie um novo."),
    PROBLEM(NULL, "This token was replaced already, and goes on for a while only. Renew the newer one.",
            "Este token já foi substituído e só continua por um tempo. Renove o mais novo."),
    PROBLEM(NULL, "This is the access of a connected app, which renews it by itself.",
            "Este é o acesso de um aplicativo conectado, que o renova sozinho."),
    PROBLEM(NULL, "This token's row was edited, so what it may do is not to be believed. Make a new one.",
            "O registro deste token foi alterado, então não se pode confiar no que ele permite. Crie um novo."),
    PROBLEM(NULL, "A connection may have {} tokens. Revoke some that are not used any more.",
            "Uma conexão pode ter {} tokens. Encerre alguns que não são mais usados."),
    PROBLEM(NULL, "The old token may go on for at most 7 days.", "O token antigo pode continuar por no máximo 7 dias."),
    PROBLEM(NULL, "'{}' is no kind of confirmation. There are: none, model, human.",
            "'{}' não é um tipo de confirmação. Há: none, model, human."),
    PROBLEM(NULL, "'{}' is no time of expiry: write 90d, 12h, 30m (at most {} years), or never.",
            "'{}' não é um prazo: escreva 90d, 12h, 30m (no máximo {} anos), ou never."),
    PROBLEM("name", "The token's name may have at most {} bytes of text.",
            "O nome do token pode ter no máximo {} bytes de texto."),
    PROBLEM(NULL, "The token's expiry lies in the past.", "O prazo do token já passou."),
    PROBLEM(NULL, "A token may have {} further connections.", "Um token pode ter mais {} conexões."),
    PROBLEM(NULL, "The connection is revoked: its tokens have ended, and it gets no new ones. Make a new connection.",
            "A conexão foi encerrada: seus tokens terminaram, e ela não recebe novos. Faça uma nova conexão."),
    PROBLEM(NULL, "Your second factor is on. Turn it off first.",
            "Seu segundo fator está ligado. Desligue-o primeiro."),
    PROBLEM(NULL, "There is no new authenticator app to confirm. Begin again.",
            "Não há um novo aplicativo autenticador a confirmar. Comece de novo."),
    PROBLEM("code",
            "The code is wrong. It changes every 30 seconds: enter the one the app shows now, and see that this "
            "device's clock is right.",
            "O código está errado. Ele muda a cada 30 segundos: digite o que o aplicativo mostra agora, e veja se o "
            "relógio deste aparelho está certo."),
    PROBLEM("code", "The code has {} digits.", "O código tem {} dígitos."),
    PROBLEM(NULL, "This is the only administrator. Make another one first.",
            "Este é o único administrador. Crie outro primeiro."),
    PROBLEM(NULL, "An administrator stopped this account. Only an administrator can let it go on.",
            "Um administrador parou esta conta. Só um administrador pode deixá-la continuar."),
    PROBLEM(NULL, "There is no change {} of this connection. wp_history lists those there are.",
            "Não há a mudança {} desta conexão. wp_history lista as que há."),
    PROBLEM(NULL, "There is no action of this id that waits for an approval.",
            "Nenhuma ação com este id espera aprovação."),
    PROBLEM(NULL, "There is no connection {}.", "Não há a conexão {}."),
    PROBLEM(NULL, "This exists already.", "Isto já existe."),
    PROBLEM(NULL, "What this belongs to does not exist any more.", "Aquilo a que isto pertence não existe mais."),
    PROBLEM(NULL, "The database took longer than this request may. Try again.",
            "O banco de dados demorou mais do que este pedido permite. Tente de novo."),
    PROBLEM(NULL, "The database's answer is larger than one request may hold. Ask for less at a time.",
            "A resposta do banco de dados é maior do que cabe em um pedido. Peça menos de cada vez."),
    PROBLEM(NULL, "A text holds bytes that cannot be stored: it must be UTF-8 without NUL characters.",
            "Um texto tem bytes que não podem ser guardados: ele precisa ser UTF-8 sem caracteres NUL."),
    PROBLEM(NULL, "The database is not available right now. Try again in a moment.",
            "O banco de dados não está disponível agora. Tente de novo em instantes."),
    PROBLEM(NULL, "Something went wrong inside. The log has the details under id {}.",
            "Algo deu errado aqui dentro. O log tem os detalhes com o id {}."),
    PROBLEM(NULL, "There is no such client.", "Não há esse cliente."),
    PROBLEM(NULL, "There is no such app.", "Não há esse aplicativo."),
    PROBLEM(NULL, "This link or code was used already, is too old, or never was one.",
            "Este link ou código já foi usado, é antigo demais ou nunca existiu."),
    PROBLEM(NULL, "There is no such invitation.", "Não há esse convite."),
    PROBLEM(NULL, "There is no provider '{}'.", "Não há o provedor '{}'."),
    PROBLEM(NULL, "There is no such login.", "Não há essa sessão."),
    PROBLEM(NULL, "There is no token {}.", "Não há o token {}."),
    PROBLEM(NULL, "The connection has no token of its own.", "A conexão não tem um token próprio."),
    PROBLEM(NULL, "The audit log cannot be written right now. Try again.",
            "O log de auditoria não pode ser escrito agora. Tente de novo."),
    PROBLEM(NULL, "Too much is written through this connection at once. Try again.",
            "Há escritas demais por esta conexão ao mesmo tempo. Tente de novo."),
    PROBLEM(NULL, "This change is not kept any more.", "Esta mudança não está mais guardada."),
    PROBLEM(NULL, "Change {} is older than {} days: what it was is not kept any more.",
            "A mudança {} tem mais de {} dias: o que ela era não está mais guardado."),
    PROBLEM(
        NULL,
        "Change {} cannot be opened: its row was changed, or belongs to another key. It cannot be shown or taken back.",
        "A mudança {} não pode ser aberta: seu registro foi alterado ou pertence a outra chave. Ela não pode ser "
        "mostrada nem desfeita."),
    PROBLEM(NULL, "Change {} cannot be taken back: {}", "A mudança {} não pode ser desfeita: {}"),
    PROBLEM(NULL, "Change {} was taken back already, by change {}. Nothing was written.",
            "A mudança {} já foi desfeita, pela mudança {}. Nada foi escrito."),
    PROBLEM(NULL, "There is nothing to take back: change {} never came to an end, and {} {} is as it was before.",
            "Não há nada a desfazer: a mudança {} nunca chegou ao fim, e {} {} está como antes."),
    PROBLEM(NULL, "What was there is too large to be sent.", "O que havia é grande demais para ser enviado."),
    PROBLEM(NULL, "Changes at this service cannot be taken back here.",
            "Mudanças neste serviço não podem ser desfeitas aqui."),
    PROBLEM(NULL, "This connection cannot send messages: take one of a messaging service.",
            "Esta conexão não envia mensagens: escolha a de um serviço de mensagens."),
    PROBLEM(NULL, "This connection is {}: nothing can be sent through it.",
            "Esta conexão está {}: nada pode ser enviado por ela."),
    PROBLEM(NULL, "That is not the code, or it is too old, or was tried too often. Begin again.",
            "Não é o código, ou ele é antigo demais, ou foi tentado vezes demais. Comece de novo."),
    PROBLEM(NULL, "A secret may be at most 1 MiB long.", "Um segredo pode ter no máximo 1 MiB."),
    PROBLEM(NULL,
            "A sealed value does not open: it was changed or moved, or belongs to another key. Restore the database "
            "from a backup, or enter the value again.",
            "Um valor selado não abre: foi alterado ou movido, ou pertence a outra chave. Restaure o banco de dados de "
            "um backup, ou informe o valor de novo."),
    PROBLEM(NULL,
            "The password of this connection is still sealed by the earlier system. Enter the password again: open the "
            "connection in the dashboard and save its application password.",
            "A senha desta conexão ainda está selada pelo sistema anterior. Informe a senha de novo: abra a conexão no "
            "painel e salve sua senha de aplicativo."),
    PROBLEM(NULL,
            "The stored password of this connection does not open with this server's key. Enter the password again: "
            "open the connection in the dashboard and save its application password.",
            "A senha guardada desta conexão não abre com a chave deste servidor. Informe a senha de novo: abra a "
            "conexão no painel e salve sua senha de aplicativo."),
    PROBLEM(NULL, "The stored password of this connection cannot be read. Enter it again.",
            "A senha guardada desta conexão não pode ser lida. Informe-a de novo."),
    PROBLEM(NULL, "This connection has no user name or password stored. Enter them again.",
            "Esta conexão não tem nome de usuário ou senha guardados. Informe-os de novo."),
    PROBLEM(NULL, "This connection has no {} stored. Enter it again.",
            "Esta conexão não tem {} guardado. Informe-o de novo."),
    PROBLEM(NULL, "The address asked for does not belong to this connection's site.",
            "O endereço pedido não pertence ao site desta conexão."),
    PROBLEM(
        NULL,
        "Too many requests to {} wait already. Nothing was sent. Send fewer at a time, and try again in a few seconds.",
        "Já há pedidos demais esperando por {}. Nada foi enviado. Envie menos de cada vez, e tente de novo em alguns "
        "segundos."),
    PROBLEM(NULL,
            "{} failed again and again, so it is left alone for a while. Nothing was sent. Try again in {} second{}.",
            "{} falhou várias vezes, então fica em paz por um tempo. Nada foi enviado. Tente de novo em {} segundo{}."),
    PROBLEM(NULL, "There is not enough memory right now. Try again.",
            "Não há memória suficiente agora. Tente de novo."),
    PROBLEM(
        NULL,
        "Other requests to {} took so long that this one did not get its turn. Nothing was sent. Send fewer at a time.",
        "Outros pedidos a {} demoraram tanto que este não teve sua vez. Nada foi enviado. Envie menos de cada vez."),
    PROBLEM(NULL, "{} port {} is this server itself. Give the address of the site instead.",
            "{} porta {} é este próprio servidor. Informe o endereço do site."),
    PROBLEM(NULL,
            "{} was to be called by http://, without encryption, so its password could be read on the way. Use "
            "https://. For a site in the local network the operator can allow http with PORTEIRO_EGRESS_ALLOW.",
            "{} seria chamado por http://, sem criptografia, e sua senha poderia ser lida no caminho. Use https://. "
            "Para um site na rede local, quem opera o servidor pode permitir http com PORTEIRO_EGRESS_ALLOW."),
    PROBLEM(NULL,
            "Port {} of {} is not open to this server: only 443 is. Use the standard port, or ask the operator to add "
            "\":{}\" to PORTEIRO_EGRESS_ALLOW.",
            "A porta {} de {} não está aberta a este servidor: só a 443. Use a porta padrão, ou peça a quem opera para "
            "acrescentar \":{}\" a PORTEIRO_EGRESS_ALLOW."),
    PROBLEM(NULL,
            "{} leads to {}, which this server does not call. If that is meant (a site in the local network or on the "
            "same machine), the operator can allow it with PORTEIRO_EGRESS_ALLOW.",
            "{} leva a {}, que este servidor não chama. Se é isso mesmo (um site na rede local ou na mesma máquina), "
            "quem opera pode permitir com PORTEIRO_EGRESS_ALLOW."),
    PROBLEM(NULL,
            "{} could not be reached within {} seconds. Is the site up, and does its firewall let this server in?",
            "{} não foi alcançado em {} segundos. O site está no ar, e o firewall dele deixa este servidor entrar?"),
    PROBLEM(NULL, "{} sent its answer too slowly (less than {} bytes a second) and was given up after {} seconds.",
            "{} enviou a resposta devagar demais (menos de {} bytes por segundo) e foi abandonado após {} segundos."),
    PROBLEM(NULL, "{} did not finish its answer within {} seconds. Ask for less at a time.",
            "{} não terminou a resposta em {} segundos. Peça menos de cada vez."),
    PROBLEM(
        NULL,
        "{} took the request but did not answer within {} seconds. The site is overloaded or hangs; try again later.",
        "{} aceitou o pedido mas não respondeu em {} segundos. O site está sobrecarregado ou travado; tente mais "
        "tarde."),
    PROBLEM(NULL, "The name {} was not found (DNS). Check the spelling of the address, and that the domain is active.",
            "O nome {} não foi encontrado (DNS). Confira a grafia do endereço, e se o domínio está ativo."),
    PROBLEM(NULL,
            "{} does not accept connections on port {}. Is the site up, the port right, and does its firewall let this "
            "server in?",
            "{} não aceita conexões na porta {}. O site está no ar, a porta está certa, e o firewall dele deixa este "
            "servidor entrar?"),
    PROBLEM(NULL,
            "The certificate of {} is not valid: {}. Renew or correct it on the site; a private authority can be "
            "trusted by the operator with PORTEIRO_CA_FILE.",
            "O certificado de {} não é válido: {}. Renove-o ou corrija-o no site; quem opera pode confiar em uma "
            "autoridade própria com PORTEIRO_CA_FILE."),
    PROBLEM(NULL, "No encrypted connection with {} port {} came about (TLS). Does the site offer https on this port?",
            "Não foi possível uma conexão criptografada com {} porta {} (TLS). O site oferece https nesta porta?"),
    PROBLEM(NULL, "{} broke the connection before its answer was complete. {}",
            "{} cortou a conexão antes de completar a resposta. {}"),
    PROBLEM(NULL, "The answer of {} is larger than the {} bytes that are read. Ask for less at a time.",
            "A resposta de {} é maior que os {} bytes que são lidos. Peça menos de cada vez."),
    PROBLEM(NULL,
            "{} sends a large answer, and this server had no memory for one more within the time. Try again in 10 "
            "seconds, or ask for less at a time.",
            "{} envia uma resposta grande, e este servidor não teve memória para mais uma a tempo. Tente de novo em 10 "
            "segundos, ou peça menos de cada vez."),
    PROBLEM(NULL, "Other requests to {} took so long that this one did not get its turn. Send fewer at a time.",
            "Outros pedidos a {} demoraram tanto que este não teve sua vez. Envie menos de cada vez."),
    PROBLEM(NULL, "Too many requests to {} wait already. Send fewer at a time.",
            "Já há pedidos demais esperando por {}. Envie menos de cada vez."),
    PROBLEM(NULL, "The request was cancelled.", "O pedido foi cancelado."),
    PROBLEM(NULL, "The request took longer than it may.", "O pedido demorou mais do que pode."),
    PROBLEM(NULL, "There is not enough memory to call {} right now. Try again.",
            "Não há memória suficiente para chamar {} agora. Tente de novo."),
    PROBLEM(NULL, "{} answered something that is not readable as HTTP.", "{} respondeu algo que não se lê como HTTP."),
    PROBLEM(NULL, "The site's owner did not let us in. Nothing was connected.",
            "O dono do site não deixou entrar. Nada foi conectado."),
    PROBLEM(NULL, "The site did not send what it should: address, user and password.",
            "O site não enviou o que deveria: endereço, usuário e senha."),
    PROBLEM(NULL, "The site's address is too long.", "O endereço do site é longo demais."),
    PROBLEM(NULL, "'{}' is not a right. There are: read, draft, publish, delete, fetch, admin.",
            "'{}' não é um direito. Há: read, draft, publish, delete, fetch, admin."),
    PROBLEM(
        NULL,
        "{} redirects without end, or to what is no address. Enter the address at which the site opens in a browser.",
        "{} redireciona sem fim, ou para o que não é endereço. Informe o endereço em que o site abre em um navegador."),
    PROBLEM(NULL, "'{}' is no address of a site: {}. Enter it as in a browser: https://example.com",
            "'{}' não é o endereço de um site: {}. Informe-o como em um navegador: https://example.com"),
    PROBLEM(NULL, "{} (And plain http is only for such addresses: all others need https.)",
            "{} (E http simples é só para tais endereços: todos os outros precisam de https.)"),
    PROBLEM(NULL, "{} in front of {} blocks the REST API. Allow /wp-json/ there for this server.",
            "{} na frente de {} bloqueia a API REST. Permita /wp-json/ lá para este servidor."),
    PROBLEM(NULL,
            "{} answers the REST API with a web page (HTTP {}): a firewall, a login wall or a bot check in front of "
            "it. Allow /wp-json/ there for this server.",
            "{} responde à API REST com uma página (HTTP {}): um firewall, uma tela de login ou uma verificação de "
            "robôs na frente. Permita /wp-json/ lá para este servidor."),
    PROBLEM(NULL,
            "{} is WordPress, but its REST API is switched off or hidden{}{}. A security plugin usually does this: "
            "allow the REST API for logged-in users.",
            "{} é WordPress, mas sua API REST está desligada ou escondida{}{}. Um plugin de segurança costuma fazer "
            "isso: permita a API REST para usuários conectados."),
    PROBLEM(NULL, "{} is in maintenance (HTTP 503). Try again when it is back.",
            "{} está em manutenção (HTTP 503). Tente de novo quando voltar."),
    PROBLEM(NULL,
            "{} answers, but it is not WordPress, or WordPress lives in another folder. Enter the address of the "
            "site's front page.",
            "{} responde, mas não é WordPress, ou o WordPress fica em outra pasta. Informe o endereço da página "
            "inicial do site."),
    PROBLEM(NULL,
            "Application passwords are switched off on this site or for this user, usually by a security plugin, or "
            "because the site has no HTTPS. Switch them on.",
            "As senhas de aplicativo estão desligadas neste site ou para este usuário, em geral por um plugin de "
            "segurança, ou porque o site não tem HTTPS. Ligue-as."),
    PROBLEM(NULL,
            "That is not an application password: those have 24 letters and digits. Your login password does not work "
            "here. Make one in WordPress: Users, Profile, Application Passwords.",
            "Isso não é uma senha de aplicativo: elas têm 24 letras e dígitos. Sua senha de login não funciona aqui. "
            "Crie uma no WordPress: Usuários, Perfil, Senhas de aplicativo."),
    PROBLEM(NULL,
            "{} has no application passwords: WordPress offers them on sites with https only, and security plugins can "
            "turn them off. Allow them there, or enter a password made elsewhere.",
            "{} não tem senhas de aplicativo: o WordPress só as oferece em sites com https, e plugins de segurança "
            "podem desligá-las. Permita-as lá, ou informe uma senha criada de outro modo."),
    PROBLEM(NULL, "The site names another address than its own for letting programs in. Enter that address.",
            "O site indica outro endereço que não o seu para deixar programas entrarem. Informe aquele endereço."),
    PROBLEM(NULL,
            "This is an administrator's account. A separate WordPress user with the role Editor is enough for posts "
            "and pages, and limits what can go wrong.",
            "Esta é a conta de um administrador. Um usuário WordPress separado com a função Editor basta para posts e "
            "páginas, e limita o que pode dar errado."),
    PROBLEM(NULL, "The instance is not connected to a telephone: scan its QR code (connection state).",
            "A instância não está conectada a um telefone: escaneie o código QR dela (connection state)."),
    PROBLEM(NULL, "Meta rates this number's quality as low (RED): its limit may be lowered.",
            "A Meta avalia a qualidade deste número como baixa (RED): seu limite pode ser reduzido."),
    PROBLEM(NULL, "The password is right, but WordPress does not get to see it: {}.",
            "A senha está certa, mas o WordPress não chega a vê-la: {}."),
    PROBLEM(NULL,
            "WordPress refused the user name or the application password: mistyped, revoked, or of another user. {}.",
            "O WordPress recusou o nome de usuário ou a senha de aplicativo: digitado errado, revogada, ou de outro "
            "usuário. {}."),
    PROBLEM(NULL,
            "WordPress did not accept the login. Most likely the user name or the application password is wrong, "
            "revoked, or of another user. {}. If both are right, {}.",
            "O WordPress não aceitou o login. Provavelmente o nome de usuário ou a senha de aplicativo está errado, "
            "foi revogada, ou é de outro usuário. {}. Se os dois estão certos, {}."),
    PROBLEM(NULL,
            "the web server drops the Authorization header. On Apache add to .htaccess: SetEnvIf Authorization "
            "\"(.*)\" HTTP_AUTHORIZATION=$1 - with nginx and PHP-FPM: fastcgi_param HTTP_AUTHORIZATION "
            "$http_authorization; - or ask the host",
            "o servidor web descarta o cabeçalho Authorization. No Apache acrescente ao .htaccess: SetEnvIf "
            "Authorization \"(.*)\" HTTP_AUTHORIZATION=$1 - com nginx e PHP-FPM: fastcgi_param HTTP_AUTHORIZATION "
            "$http_authorization; - ou peça à hospedagem"),
    PROBLEM(NULL,
            "Check the user name (the login name under Users, Profile), and make a new application password there "
            "under Application Passwords",
            "Confira o nome de usuário (o nome de login em Usuários, Perfil), e crie lá uma nova senha de aplicativo "
            "em Senhas de aplicativo"),
    PROBLEM(NULL, "what it changed was too large to keep.", "o que ela mudou era grande demais para guardar."),
    PROBLEM(NULL, "it was a deletion for good. wp_history diff shows what there was.",
            "foi uma exclusão definitiva. wp_history diff mostra o que havia."),
    PROBLEM(NULL, "what this operation does is known to the site's plugin only.",
            "o que esta operação faz só o plugin do site sabe."),
    PROBLEM(NULL, "WordPress did not tell what was there before it.", "o WordPress não disse o que havia antes dela."),
    PROBLEM(NULL, "which item it made is not known. Look for it with wp_find order=-id.",
            "não se sabe que item ela criou. Procure-o com wp_find order=-id."),
    PROBLEM(NULL, "it cannot be read", "não pode ser lido"),
    /* what an approval is about */
    PROBLEM(NULL, "put into the trash", "mover para a lixeira"),
    PROBLEM(NULL, "change what is public, or make it so", "alterar o que é público, ou torná-lo público"),
    PROBLEM(NULL, "make what is public", "criar algo público"),
    PROBLEM(NULL, "an operation that others may notice", "uma operação que outros podem notar"),
    PROBLEM(NULL, "fetch a file from outside", "buscar um arquivo de fora"),
    PROBLEM(NULL, "read receipts that the sender sees", "confirmações de leitura que o remetente vê"),
    PROBLEM(NULL, "delete for good {} of type {} of {}, with {}: {}", "excluir de vez {} do tipo {} de {}, com {}: {}"),
    PROBLEM(NULL, "all their items", "todos os seus itens"),
    PROBLEM(NULL, "their files", "os arquivos deles"),
    PROBLEM(NULL, "their data where they remove it", "os dados deles, quando eles os removem"),
    PROBLEM(NULL, "comments and revisions", "comentários e revisões"),
    PROBLEM(NULL, "delete for good {} of type {} of {}: {}", "excluir de vez {} do tipo {} de {}: {}"),
    PROBLEM(NULL, "put into the trash {} of type {} of {}: {}", "mover para a lixeira {} do tipo {} de {}: {}"),
    PROBLEM(NULL, "change {} of type {} of {}: {}\nThe first: {}", "alterar {} do tipo {} de {}: {}\nO primeiro: {}"),
    PROBLEM(NULL, "change {} of type {} of {}: {}", "alterar {} do tipo {} de {}: {}"),
    PROBLEM(NULL, "run {} of {} for good", "executar de vez {} de {}"),
    PROBLEM(NULL, "send by WhatsApp of {} to {} recipient{}: {} (no message in 24 h from {}): {}",
            "enviar pelo WhatsApp de {} a {} destinatário{}: {} (nenhuma mensagem em 24 h de {}): {}"),
    PROBLEM(NULL, "send by WhatsApp of {} to {} recipient{}: {}: {}",
            "enviar pelo WhatsApp de {} a {} destinatário{}: {}: {}"),
    PROBLEM(NULL, "delete the template {} of {} in all its languages", "excluir o modelo {} de {} em todos os idiomas"),
    PROBLEM(NULL, "give Meta the template {} of {} to approve: {}",
            "entregar à Meta o modelo {} de {} para aprovar: {}"),
    PROBLEM(NULL, "shows typing...", "mostra digitando..."),
    PROBLEM(NULL, "marks a chat unread", "marca uma conversa como não lida"),
    PROBLEM(NULL, "puts a label on a chat or takes it off", "põe uma etiqueta em uma conversa ou a tira"),
    PROBLEM(NULL, "{} has no conversations.", "{} não tem conversas."),
    PROBLEM(NULL, "No provider of this program has conversations.", "Nenhum provedor deste programa tem conversas."),
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

/* A hole may hold a sentence of ours, which is looked up too. */
static struct problem look_up(struct arena *arena, struct str english, enum language language, int depth)
{
    struct str holes[HOLES_MAX];
    size_t n_holes;
    for (size_t i = 0; i < ARRAY_LENGTH(problems); i++) {
        if (!matches(problems[i].english, english, holes, &n_holes))
            continue;
        if (language != LANGUAGE_PT_BR)
            return (struct problem){english, problems[i].field};
        for (size_t k = 0; k < n_holes && depth < DEPTH_MAX; k++)
            holes[k] = look_up(arena, holes[k], language, depth + 1).text;
        return (struct problem){text_fill_pattern(arena, problems[i].portuguese, holes, n_holes), problems[i].field};
    }
    return (struct problem){english, NULL};
}

struct problem problem_of(struct arena *arena, struct str english, enum language language)
{
    return look_up(arena, english, language, 0);
}
